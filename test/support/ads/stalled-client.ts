/** An ADS client that asks and does not read: HTTP/2 flow control stops the server. (grpc-js' own client buffers.) */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import type { DiscoveryResponse } from './ads-client.ts';
import { type ShortType, TYPES } from './worlds.ts';

const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.DeltaAggregatedResources;

/** A gRPC message's flag and length. */
const HEAD = 5;

export class StalledClient {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #nodeId: string;

  constructor(port: number, nodeId: string) {
    this.#nodeId = nodeId;
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    for (const emitter of [this.#session, this.#stream]) emitter.on('error', () => {});
  }

  request(type: ShortType, fields: object = {}): void {
    const message = requestSerialize({ node: { id: this.#nodeId }, type_url: TYPES[type], ...fields });
    const head = Buffer.alloc(HEAD);
    head.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([head, message]));
  }

  /** From now on it reads. @param onResponse called with each response */
  read(onResponse: (response: DiscoveryResponse) => void): void {
    let bytes = Buffer.alloc(0);
    this.#stream.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= HEAD && bytes.length >= HEAD + bytes.readUInt32BE(1)) {
        const end = HEAD + bytes.readUInt32BE(1);
        onResponse(responseDeserialize(bytes.subarray(HEAD, end)) as DiscoveryResponse);
        bytes = bytes.subarray(end);
      }
    });
  }

  close(): void {
    this.#session.destroy();
  }
}
