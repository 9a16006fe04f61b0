/**
 * A delta ADS client over a connection of its own that subscribes as Envoy does: all clusters and listeners, the
 * endpoints of its clusters, the routes of its listeners. Of what it gets it keeps names and versions only, so that one
 * process can be a thousand of them.
 */
import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import { AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { type ResponseNames, readResponseNames } from './response-names.ts';
import { type ShortType, shortType, TYPES } from './worlds.ts';

const { path, requestSerialize } = AggregatedDiscoveryService.DeltaAggregatedResources;

const HTTP_LISTENER = '0.0.0.0_';
/** As Envoy waits at first. */
const RETRY_MS = 500;

export class LightEnvoy {
  readonly #nodeId: string;
  readonly #target: string;
  readonly #onHeard: (names: ResponseNames) => void;
  readonly #held: Readonly<Record<ShortType, Map<string, string>>> = {
    CDS: new Map(),
    EDS: new Map(),
    LDS: new Map(),
    RDS: new Map(),
  };
  #client: Client | undefined;
  #stream: ClientDuplexStream<object, ResponseNames> | undefined;
  #asked = new Set<ShortType>();
  #retry: NodeJS.Timeout | undefined;

  /** @param target `address:port` of the controller */
  constructor(target: string, nodeId: string, onHeard: (names: ResponseNames) => void) {
    this.#target = target;
    this.#nodeId = nodeId;
    this.#onHeard = onHeard;
  }

  /** Names and versions of what it holds. */
  held(type: ShortType): ReadonlyMap<string, string> {
    return this.#held[type];
  }

  /** Opens a stream, and says what is held already. */
  connect(): void {
    this.#client = new Client(this.#target, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      // Each a connection of its own, as Envoys have.
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#asked = new Set();
    this.#stream = this.#client.makeBidiStreamRequest(path, requestSerialize, readResponseNames, new Metadata());
    this.#stream.on('data', (names: ResponseNames) => this.#receive(names));
    const stream = this.#stream;
    for (const event of ['error', 'end']) stream.on(event, () => stream === this.#stream && this.#cameApart());
    this.#ask('CDS', [], { node: { id: this.#nodeId } });
    this.#ask('LDS', []);
    this.#follow('CDS', [...this.#held.CDS.keys()]);
    this.#follow('LDS', [...this.#held.LDS.keys()]);
  }

  /** Ends the stream and the connection; what is held stays. */
  disconnect(): void {
    clearTimeout(this.#retry);
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
    this.#client?.close();
  }

  /** A stream that nobody wanted to end: Envoy opens another one. */
  #cameApart(): void {
    this.disconnect();
    this.#retry = setTimeout(() => this.connect(), RETRY_MS);
  }

  #ask(type: ShortType, names: readonly string[], fields: object = {}): void {
    const isFirst = !this.#asked.has(type);
    this.#asked.add(type);
    this.#stream?.write({
      ...fields,
      type_url: TYPES[type],
      resource_names_subscribe: names,
      ...(isFirst ? { initial_resource_versions: Object.fromEntries(this.#held[type]) } : {}),
    });
  }

  #receive(response: ResponseNames): void {
    const held = this.#held[shortType(response.type)];
    const fresh = [...response.added.keys()].filter((name) => !held.has(name));
    for (const [name, version] of response.added) held.set(name, version);
    for (const name of response.removed) held.delete(name);
    this.#stream?.write({ type_url: response.type, response_nonce: response.nonce });
    this.#follow(shortType(response.type), fresh);
    this.#onHeard(response);
  }

  /** Clusters have endpoints of their name, and HTTP listeners routes of their port. */
  #follow(type: ShortType, names: readonly string[]): void {
    const endpoints = type === 'CDS' ? names.filter((name) => name.startsWith('outbound|')) : [];
    const listeners = type === 'LDS' ? names.filter((name) => name.startsWith(HTTP_LISTENER)) : [];
    if (endpoints.length > 0) this.#ask('EDS', endpoints);
    if (listeners.length > 0) {
      this.#ask(
        'RDS',
        listeners.map((name) => name.slice(HTTP_LISTENER.length)),
      );
    }
  }
}
