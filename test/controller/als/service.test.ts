import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { LARGEST_MESSAGE_BYTES } from '../../../controller/als/service.ts';
import { encodeAccessLogs, encodeIdentifier, encodeRefusals } from '../../../controller/wire/access-log.ts';
import { encode, type PlainMessage } from '../../../controller/wire/messages.ts';
import { eventually } from '../../support/eventually.ts';
import { entry } from '../../support/mesh-objects.ts';
import { AccessLogServer, framed } from './access-log-server.ts';

const EGRESS = 'egress~10.0.9.9~egress-0.lazyscope~lazyscope.svc.cluster.local';
const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';

const tcp = entry('10.0.0.1', '10.96.0.1:9000');
const http = entry('10.0.0.1', '10.96.0.1:80', { protocol: 'HTTP1', host: 'cart' });
const [logs = Buffer.alloc(0)] = encodeAccessLogs([tcp]);
const unreadable = Buffer.from([0xff, 0xff, 0xff]);
const message = (plain: PlainMessage): Uint8Array => encode(MESSAGE, plain);
const named = (id: string, log_name = 'lazyscope-egress'): Uint8Array =>
  message({ identifier: { node: { id }, log_name } });

describe('the access log service', () => {
  it('takes entries of both kinds, with the node of the first message', async (t) => {
    const server = await AccessLogServer.start(t);
    await server.send(encodeIdentifier(EGRESS), ...encodeAccessLogs([http, tcp]));
    assert.deepEqual(server.entries, [http, tcp]);
    assert.deepEqual(server.problems, []);
    assert.deepEqual(server.service.counts, {
      streams: 0,
      messages: 3,
      unreadable: 0,
      oversized: 0,
      invalid: 0,
      refused: 0,
      broken: 0,
    });
  });

  it('takes entries that come with the identifier', async (t) => {
    const server = await AccessLogServer.start(t);
    await server.send(Buffer.concat([encodeIdentifier(EGRESS), logs]), logs);
    assert.deepEqual([server.entries, server.problems], [[tcp, tcp], []]);
  });

  it('goes on after a message that cannot be read, counts and names it', async (t) => {
    const server = await AccessLogServer.start(t);
    await server.send(encodeIdentifier(EGRESS), unreadable, logs);
    assert.deepEqual([server.entries, server.service.counts.unreadable], [[tcp], 1]);
    assert.deepEqual(server.problems, [
      { subject: `access log stream of ${EGRESS}`, reason: 'skipped a message that cannot be read: it is cut short' },
    ]);
  });

  it('skips, counts and names an entry without addresses, and takes its neighbours', async (t) => {
    const server = await AccessLogServer.start(t);
    const bad = message({ tcp_logs: { log_entry: [{ common_properties: { access_log_type: 'TcpPeriodic' } }] } });
    await server.send(encodeIdentifier(EGRESS), Buffer.concat([logs, bad, logs]));
    assert.deepEqual([server.entries, server.service.counts.invalid], [[tcp, tcp], 1]);
    assert.match(server.problems[0]?.reason ?? '', /downstream_remote_address/);
  });

  it('tells refusals apart from entries, with the egress that refused', async (t) => {
    const server = await AccessLogServer.start(t);
    await server.send(encodeIdentifier(EGRESS), logs, encodeRefusals(new Map([['10.0.0.1', 12]])));
    assert.deepEqual(server.refused, [[EGRESS, new Map([['10.0.0.1', 12]]), 5_000]]);
    assert.deepEqual([server.entries, server.problems], [[tcp], []]);
  });

  it('hears two clients with one node id, and each as long as it lasts', async (t) => {
    const server = await AccessLogServer.start(t);
    const [one, other] = [server.open(), server.open()];
    for (const sender of [one, other]) sender.write(encodeIdentifier(EGRESS), logs);
    await eventually('both are heard', () => server.entries.length === 2);
    assert.equal(server.service.counts.streams, 2);
    await one.end();
    other.write(logs);
    await other.end();
    assert.deepEqual([server.entries, server.problems], [[tcp, tcp, tcp], []]);
    assert.equal(server.service.counts.streams, 0);
  });
});

describe('a stream is ended with INVALID_ARGUMENT, counted and named, whose first message', () => {
  const CASES: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['has entries and no identifier', logs, /names no node/],
    ['is empty', Buffer.alloc(0), /names no node/],
    ['has an identifier without a node', message({ identifier: { log_name: 'lazyscope-egress' } }), /names no node/],
    ['cannot be read', unreadable, /first message cannot be read/],
    ['has an empty node id', named(''), /node\.id "" does not start with/],
    ['has a node id without an address', named('egress~cart~a.b~c'), /has "cart" where an IP address belongs/],
    ['has a node id without a pod', named('egress~10.0.0.1~~c'), /has "" where <pod>\.<namespace> belongs/],
    ['has a node id without a domain', named('egress~10.0.0.1~a.b'), /does not end with one DNS domain/],
    ['has a node id that forges a line', named('egress~10.0.0.1~a\n.b~c'), /"egress~10\.0\.0\.1~a\ufffd\.b~c"/],
    ['has a node id of a megabyte', named('egress~'.repeat(150_000)), /^.{1,700}$/],
  ];
  for (const [what, first, reason] of CASES) {
    it(what, async (t) => {
      const server = await AccessLogServer.start(t);
      const sender = server.open();
      sender.write(first, logs);
      const error = await sender.ended;
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.match(error?.details ?? '', reason);
      const told = server.problems.at(-1);
      assert.match(told?.subject ?? '', /^access log stream from 127\.0\.0\.1:\d+$/);
      assert.match(told?.reason.replace(/^refused: /, '') ?? '', reason);
      assert.deepEqual([server.entries, server.service.counts.refused], [[], 1]);
      assert.equal(server.service.counts.streams, 0);
    });
  }
});

describe('a stream is not listened to, counted and named once', () => {
  const sidecar = 'sidecar~10.0.0.1~front-0.shop~shop.svc.cluster.local';
  for (const [what, first, subject] of [
    ['of a sidecar', named(sidecar), sidecar],
    ['of another log', named(EGRESS, 'accesslog'), EGRESS],
  ] as const) {
    it(what, async (t) => {
      const server = await AccessLogServer.start(t);
      await server.send(first, logs, encodeIdentifier(EGRESS), unreadable, logs);
      assert.deepEqual([server.entries, server.service.counts.refused, server.service.counts.messages], [[], 1, 0]);
      assert.deepEqual(server.problems, [
        {
          subject: `access log stream of ${subject}`,
          reason: 'ignored: its first message must name an egress node and the log "lazyscope-egress"',
        },
      ]);
    });
  }
});

describe('a message', () => {
  it('larger than is read is counted and named, and its stream goes on', async (t) => {
    const server = await AccessLogServer.start(t);
    await server.send(encodeIdentifier(EGRESS), Buffer.alloc(LARGEST_MESSAGE_BYTES + 1), logs);
    assert.deepEqual([server.entries, server.service.counts.oversized], [[tcp], 1]);
    assert.match(server.problems[0]?.reason ?? '', /a message of 4194305 bytes: more than 4194304 are not read/);
    assert.match(server.problems[0]?.subject ?? '', new RegExp(EGRESS));
  });

  it('larger than gRPC takes breaks its stream, counted and named; others go on', async (t) => {
    const server = await AccessLogServer.start(t);
    const [good, large] = [server.open(), server.open()];
    good.write(encodeIdentifier(EGRESS));
    large.write(encodeIdentifier(EGRESS), logs);
    await eventually('its first messages are read', () => server.entries.length === 1);
    large.write(Buffer.alloc(9 * 1024 * 1024));
    assert.equal((await large.ended)?.code, status.RESOURCE_EXHAUSTED);
    await eventually('it is counted', () => server.service.counts.broken === 1);
    good.write(logs);
    await good.end();
    assert.deepEqual(server.entries, [tcp, tcp]);
    assert.deepEqual(
      server.problems.map(({ subject }) => subject),
      [`access log stream of ${EGRESS}`],
    );
    assert.match(server.problems[0]?.reason ?? '', /broke off: .* larger than gRPC takes/);
    assert.equal(server.service.counts.streams, 0);
  });

  for (const [how, broken] of [
    ['reset', 1],
    ['closed', 0],
    ['ended', 0],
  ] as const) {
    it(`of which half came when its stream was ${how} is not there; those before it are`, async (t) => {
      const server = await AccessLogServer.start(t);
      const half = framed(logs).subarray(0, 40);
      const bytes = Buffer.concat([framed(encodeIdentifier(EGRESS)), framed(logs), half]);
      await server.sendBytes(bytes, how, () => server.entries.length === 1);
      assert.deepEqual([server.entries, server.service.counts.broken, server.problems.length], [[tcp], broken, broken]);
    });
  }
});

describe('of many streams', () => {
  it('so many are heard at a time; further ones are refused, counted and named, until one ends', async (t) => {
    const server = await AccessLogServer.start(t, { maxStreams: 1 });
    const first = server.open();
    first.write(encodeIdentifier(EGRESS), logs);
    await eventually('the first is heard', () => server.entries.length === 1);
    const second = server.open();
    second.write(encodeIdentifier(EGRESS), logs);
    assert.equal((await second.ended)?.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual([server.entries, server.service.counts.refused], [[tcp], 1]);
    assert.match(server.problems[0]?.reason ?? '', /^refused: 1 access log streams are open already$/);
    await first.end();
    await server.send(encodeIdentifier(EGRESS), logs);
    assert.deepEqual(server.entries, [tcp, tcp]);
  });
});

describe('closing', () => {
  it('ends every stream without a word of trouble', async (t) => {
    const server = await AccessLogServer.start(t);
    const senders = [server.open(), server.open()];
    for (const sender of senders) sender.write(encodeIdentifier(EGRESS), logs);
    await eventually('both are heard', () => server.entries.length === 2);
    server.service.close();
    assert.deepEqual(await Promise.all(senders.map(({ ended }) => ended)), [undefined, undefined]);
    assert.deepEqual([server.problems, server.service.counts.streams, server.service.counts.broken], [[], 0, 0]);
  });
});
