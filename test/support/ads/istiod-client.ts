/**
 * A proxy of istiod without an Envoy: subscribes, acknowledges, and remembers when it was told which names. Cheap enough
 * that one process can be hundreds: of a response only the names are read.
 */
import { type ChannelCredentials, Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import { Reader } from 'protobufjs';
import { AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { messageType } from '../../../controller/wire/messages.ts';
import { fromJsonForm } from '../../../controller/wire/well-known.ts';
import { type ShortType, TYPES } from './worlds.ts';

export interface IstiodClientOptions {
  /** `address:port`. */
  readonly istiod: string;
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  /** Value of its label `app`. */
  readonly app: string;
  /** Names of routes that it asks for besides all clusters and listeners. */
  readonly routes?: readonly string[];
  readonly credentials?: ChannelCredentials;
}

/** What one response told. */
export interface Told {
  readonly type: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** `performance.now()`. */
  readonly at: number;
}

interface NamesOfResponse extends Omit<Told, 'at'> {
  readonly nonce: string;
}

const { path, requestSerialize } = AggregatedDiscoveryService.DeltaAggregatedResources;
const REQUEST = messageType('envoy.service.discovery.v3.DeltaDiscoveryRequest');

export class IstiodClient {
  readonly told: Told[] = [];
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<object, NamesOfResponse>;
  #onTold: () => void = () => {};
  #error: Error | undefined;

  constructor(options: IstiodClientOptions) {
    this.#client = new Client(options.istiod, options.credentials ?? credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      // Each a connection of its own, as proxies have.
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#stream = this.#client.makeBidiStreamRequest(path, requestSerialize, namesOf, new Metadata());
    this.#stream.on('data', (response: NamesOfResponse) => this.#receive(response));
    this.#stream.on('error', (error) => {
      this.#error = error;
      this.#onTold();
    });
    this.#write('CDS', { node: node(options) });
    this.#write('LDS', {});
    if (options.routes) this.#write('RDS', { resource_names_subscribe: options.routes });
  }

  /** Resolves with the first response from `since` on that `wanted` takes; rejects when the stream ends. */
  async hears(wanted: (told: Told) => boolean, since = 0): Promise<Told> {
    for (;;) {
      const found = this.told.slice(since).find(wanted);
      if (found) return found;
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#onTold = resolve;
      });
    }
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }

  #receive({ nonce, ...names }: NamesOfResponse): void {
    this.told.push({ ...names, at: performance.now() });
    this.#stream.write({ type_url: names.type, response_nonce: nonce });
    this.#onTold();
  }

  #write(type: ShortType, fields: object): void {
    this.#stream.write(fromJsonForm(REQUEST, { type_url: TYPES[type], ...fields }));
  }
}

function node({ name, namespace, address, app }: IstiodClientOptions): object {
  return {
    id: `sidecar~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: {
      NAMESPACE: namespace,
      CLUSTER_ID: 'Kubernetes',
      INSTANCE_IPS: address,
      ISTIO_VERSION: '1.31.0',
      LABELS: { app },
    },
  };
}

/** Fields of DeltaDiscoveryResponse: resources 2 (name 3), type_url 4, nonce 5, removed_resources 6. */
function namesOf(bytes: Buffer): NamesOfResponse {
  const reader = Reader.create(bytes);
  const added: string[] = [];
  const removed: string[] = [];
  let [type, nonce] = ['', ''];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 2) added.push(nameOfResource(reader));
    else if (tag >>> 3 === 4) type = reader.string();
    else if (tag >>> 3 === 5) nonce = reader.string();
    else if (tag >>> 3 === 6) removed.push(reader.string());
    else reader.skipType(tag & 7);
  }
  return { type, nonce, added, removed };
}

function nameOfResource(reader: Reader): string {
  const end = reader.uint32() + reader.pos;
  let name = '';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 3) name = reader.string();
    else reader.skipType(tag & 7);
  }
  return name;
}
