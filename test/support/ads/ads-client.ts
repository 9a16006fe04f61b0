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

/** An HTTP/2 connection of its own, for one or several streams. (By default grpc-js shares those of a process.) */
export function adsConnection(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
}

export class AdsClient {
  readonly #close: () => void;
  readonly #stream: ClientDuplexStream<object, object>;
  readonly #received: DiscoveryResponse[] = [];
  #nodeId: string | undefined;
  #probes = 0;
  readonly ended: Promise<ServiceError | undefined>;

  /** @param server its port, or a connection that is shared and not closed here */
  constructor(server: number | Client, nodeId: string) {
    const client = typeof server === 'number' ? adsConnection(server) : server;
    this.#close = () => typeof server === 'number' && client.close();
    this.#stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#nodeId = nodeId;
    this.#stream.on('data', (message: object) => this.#received.push(message as DiscoveryResponse));
    this.ended = new Promise((resolve) => {
      this.#stream.on('error', resolve);
      this.#stream.on('end', () => resolve(undefined));
    });
  }

  request(type: ShortType | 'other', fields: object = {}): void {
    this.send({ type_url: type === 'other' ? 'type.googleapis.com/other.Type' : TYPES[type], ...fields });
  }

  /** Sends a message as it is, but for the node, which goes into the first. */
  send(message: object): void {
    const node = this.#nodeId === undefined ? {} : { node: { id: this.#nodeId } };
    this.#nodeId = undefined;
    this.#stream.write({ ...node, ...message });
  }

  /** The next response. */
  async response(): Promise<DiscoveryResponse> {
    while (this.#received.length === 0) await once(this.#stream, 'data');
    const [response] = this.#received.splice(0, 1);
    if (response === undefined) throw new Error('no response');
    return response;
  }

  /** Whether the server has had nothing to say up to now: the next thing that it says is the answer to this. */
  async isSilent(): Promise<boolean> {
    this.#probes += 1;
    const name = `nobody-${this.#probes}`;
    this.request('EDS', { resource_names_subscribe: [name] });
    return (await this.acknowledged()) === `ClusterLoadAssignment -${name}`;
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
    this.#close();
  }
}
