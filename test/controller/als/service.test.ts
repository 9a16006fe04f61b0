import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, type ClientWritableStream, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { createAccessLogService } from '../../../controller/als/service.ts';
import type { AccessLogEntry } from '../../../controller/core/model.ts';
import type { Problem } from '../../../controller/core/ports.ts';
import { encodeAccessLogs, encodeIdentifier, encodeRefusals } from '../../../controller/wire/access-log.ts';
import { AccessLogService } from '../../../controller/wire/grpc.ts';
import { encode } from '../../../controller/wire/messages.ts';
import { entry } from '../../support/mesh-objects.ts';

const EGRESS = 'egress~10.0.9.9~egress-0.lazyscope~lazyscope.svc.cluster.local';
const method = AccessLogService.StreamAccessLogs;

describe('the access log service', () => {
  const received: AccessLogEntry[] = [];
  const refused: [string, ReadonlyMap<string, number>, number][] = [];
  const problems: Problem[] = [];
  const server = new Server();
  const service = createAccessLogService({
    sink: {
      accessLogs: (entries) => received.push(...entries),
      egressRefused: (...told) => refused.push(told),
    },
    problem: (problem) => problems.push(problem),
    now: () => 5_000,
  });
  let client: Client;

  before(async () => {
    server.addService(AccessLogService, service.handlers);
    const port = await new Promise<number>((resolve, reject) => {
      const bound = (error: Error | null, number: number): void => (error ? reject(error) : resolve(number));
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
    });
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  });

  after(() => {
    client.close();
    server.forceShutdown();
  });

  /** Sends messages on one stream and waits until the server has read them all. */
  async function send(...messages: readonly Uint8Array[]): Promise<void> {
    received.length = 0;
    problems.length = 0;
    await new Promise<void>((resolve, reject) => {
      const done = (error: Error | null): void => (error ? reject(error) : resolve());
      const { path, requestSerialize, responseDeserialize } = method;
      const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        done,
      );
      for (const message of messages) call.write(Buffer.from(message));
      call.end();
    });
  }

  it('takes entries of both kinds, with the node of the first message', async () => {
    const http = entry('10.0.0.1', '10.96.0.1:80', { protocol: 'HTTP1', host: 'cart' });
    const tcp = entry('10.0.0.1', '10.96.0.1:9000');
    await send(encodeIdentifier(EGRESS), ...encodeAccessLogs([http, tcp]));
    assert.deepEqual(received, [http, tcp]);
    assert.deepEqual(problems, []);
  });

  it('goes on after a message that cannot be read, and names it', async () => {
    const good = encodeAccessLogs([entry('10.0.0.1', '10.96.0.1:9000')]);
    await send(encodeIdentifier(EGRESS), Buffer.from([0xff, 0xff, 0xff]), ...good);
    assert.equal(received.length, 1);
    assert.match(problems[0]?.subject ?? '', new RegExp(EGRESS));
  });

  it('skips and names an entry without addresses, and takes its neighbours', async () => {
    const [message] = encodeAccessLogs([entry('10.0.0.1', '10.96.0.1:9000')]);
    const broken = encode('envoy.service.accesslog.v3.StreamAccessLogsMessage', {
      tcp_logs: { log_entry: [{ common_properties: { access_log_type: 'TcpPeriodic' } }] },
    });
    await send(encodeIdentifier(EGRESS), broken, message as Uint8Array);
    assert.equal(received.length, 1);
    assert.match(problems[0]?.reason ?? '', /downstream_remote_address/);
  });

  it('tells refusals apart from entries, with the egress that refused', async () => {
    const [message] = encodeAccessLogs([entry('10.0.0.1', '10.96.0.1:9000')]);
    await send(encodeIdentifier(EGRESS), message as Uint8Array, encodeRefusals(new Map([['10.0.0.1', 12]])));
    assert.deepEqual(refused, [[EGRESS, new Map([['10.0.0.1', 12]]), 5_000]]);
    assert.equal(received.length, 1);
    assert.deepEqual(problems, []);
  });

  it('does not listen to a stream that names no egress', async () => {
    await send(...encodeAccessLogs([entry('10.0.0.1', '10.96.0.1:9000')]), encodeIdentifier(EGRESS));
    assert.deepEqual(received, []);
    assert.equal(problems.length, 1, 'once a stream');
    assert.match(problems[0]?.reason ?? '', /first message must name an egress/);
  });

  it('counts streams until they end', async () => {
    await send(encodeIdentifier(EGRESS));
    assert.equal(service.counts.streams, 0);
  });
});
