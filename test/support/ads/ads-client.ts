/** A delta ADS client over real gRPC, driven by hand. */
import { once } from 'node:events';
import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import { AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { type ShortType, TYPES } from './worlds.ts';

export interface DiscoveryResponse {
  readonly type_url: string;
  readonly nonce: string;
  readonly resources: readonly {
    readonly name: string;
    readonly version: string;
    readonly resource: { readonly type_url: string; readonly value: Uint8Array };
  }[];
  readonly removed_resources: readonly string[];
}

const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.DeltaAggregatedResources;

export class AdsClient {
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<object, object>;
  readonly #received: DiscoveryResponse[] = [];
  #nodeId: string | undefined;
  readonly ended: Promise<ServiceError | undefined>;

  constructor(port: number, nodeId: string) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    this.#stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#nodeId = nodeId;
    this.#stream.on('data', (message: object) => this.#received.push(message as DiscoveryResponse));
    this.ended = new Promise((resolve) => {
      this.#stream.on('error', resolve);
      this.#stream.on('end', () => resolve(undefined));
    });
  }

  request(type: ShortType | 'other', fields: object = {}): void {
    const node = this.#nodeId === undefined ? {} : { node: { id: this.#nodeId } };
    this.#nodeId = undefined;
    this.#stream.write({
      ...node,
      type_url: type === 'other' ? 'type.googleapis.com/other.Type' : TYPES[type],
      ...fields,
    });
  }

  /** The next response. */
  async response(): Promise<DiscoveryResponse> {
    while (this.#received.length === 0) await once(this.#stream, 'data');
    const [response] = this.#received.splice(0, 1);
    if (response === undefined) throw new Error('no response');
    return response;
  }

  /** The next response, in short, acknowledged. */
  async acknowledged(): Promise<string> {
    const response = await this.response();
    this.#stream.write({ type_url: response.type_url, response_nonce: response.nonce });
    const added = response.resources.map(({ name }) => `+${name}`);
    const removed = response.removed_resources.map((name) => `-${name}`);
    return [response.type_url.slice(response.type_url.lastIndexOf('.') + 1), ...added, ...removed].join(' ');
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}
