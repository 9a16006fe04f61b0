/** The access log service on a real port, and clients that write what they like. */
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { TestContext } from 'node:test';
import {
  Client,
  type ClientWritableStream,
  credentials,
  Server,
  ServerCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  type AccessLogServiceOptions,
  createAccessLogService,
  type AccessLogService as Service,
} from '../../../controller/als/service.ts';
import type { AccessLogEntry } from '../../../controller/core/model.ts';
import type { Problem } from '../../../controller/core/ports.ts';
import { AccessLogService } from '../../../controller/wire/grpc.ts';
import { eventually } from '../../support/eventually.ts';

const { path, requestSerialize, responseDeserialize } = AccessLogService.StreamAccessLogs;

/** What gRPC takes here; smaller than in production, so that going beyond it costs little. */
const GRPC_LIMIT = 8 * 1024 * 1024;

/** One stream as its sender sees it. */
export interface Sender {
  readonly call: ClientWritableStream<Buffer>;
  write(...messages: readonly Uint8Array[]): void;
  /** Ends it. Resolves when the server has read everything and answered; rejects with how it refused. */
  end(): Promise<void>;
  /** How the stream ended, when it has; `undefined` is well. */
  readonly ended: Promise<ServiceError | undefined>;
}

export class AccessLogServer {
  readonly entries: AccessLogEntry[] = [];
  readonly refused: [string, ReadonlyMap<string, number>, number][] = [];
  readonly problems: Problem[] = [];
  readonly service: Service;
  readonly #server = new Server({ 'grpc.max_receive_message_length': GRPC_LIMIT });
  readonly #clients: Client[] = [];
  #port = 0;

  private constructor(options: Partial<AccessLogServiceOptions>) {
    this.service = createAccessLogService({
      sink: {
        accessLogs: (entries) => this.entries.push(...entries),
        egressRefused: (...told) => this.refused.push(told),
      },
      problem: (problem) => this.problems.push(problem),
      now: () => 5_000,
      ...options,
    });
  }

  /** @param options a `sink` takes what comes, instead of {@link entries} and {@link refused} */
  static async start(t: TestContext, options: Partial<AccessLogServiceOptions> = {}): Promise<AccessLogServer> {
    const started = new AccessLogServer(options);
    started.#server.addService(AccessLogService, started.service.handlers);
    started.#port = await new Promise<number>((resolve, reject) => {
      const bound = (error: Error | null, port: number): void => (error ? reject(error) : resolve(port));
      started.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
    });
    t.after(() => {
      for (const client of started.#clients) client.close();
      started.#server.forceShutdown();
    });
    return started;
  }

  /** A connection of its own, and a stream on it. */
  open(): Sender {
    const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_send_message_length': -1 };
    const client = new Client(`127.0.0.1:${this.#port}`, credentials.createInsecure(), options);
    this.#clients.push(client);
    const { promise: ended, resolve } = Promise.withResolvers<ServiceError | undefined>();
    const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      (error) => resolve(error ?? undefined),
    );
    call.on('error', () => {});
    const end = async (): Promise<void> => {
      call.end();
      const error = await ended;
      if (error) throw error;
    };
    const write = (...messages: readonly Uint8Array[]): void => {
      for (const bytes of messages) call.write(Buffer.from(bytes));
    };
    return { call, ended, end, write };
  }

  /** Sends messages on one stream and waits until the server has read them all. */
  async send(...messages: readonly Uint8Array[]): Promise<void> {
    const sender = this.open();
    sender.write(...messages);
    await sender.end();
  }

  /** Writes bytes to the HTTP/2 stream under gRPC, waits for `isRead`, and resets or closes the connection, or ends the stream. */
  async sendBytes(bytes: Uint8Array, how: 'reset' | 'closed' | 'ended', isRead: () => boolean): Promise<void> {
    const socket = connectSocket(this.#port, '127.0.0.1');
    const session = connect(`http://127.0.0.1:${this.#port}`, { createConnection: () => socket });
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.resume();
    stream.write(bytes);
    await eventually('the server reads what came', isRead);
    if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'closed') socket.destroy();
    else stream.end();
    await eventually('the stream is over', () => this.service.counts.streams === 0);
    session.destroy();
  }
}

/** A message with gRPC's five bytes before it: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
