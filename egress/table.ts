/** The routing table's delta ADS client: wildcard CDS and in direct mode named EDS, as node kind `egress`. */
import { type Client, type ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import { reasonOf } from '../controller/core/error.ts';
import { CLUSTER, CLUSTER_LOAD_ASSIGNMENT, type SocketAddress } from '../controller/core/model.ts';
import { isIdentityName } from '../controller/core/pod-identity.ts';
import { AggregatedDiscoveryService } from '../controller/wire/grpc.ts';
import { ControllerStream, type OpenStream } from './controller-stream.ts';
import { IdentityTable, type IdentityView } from './identity-table.ts';
import { readCluster, readEndpoints, readIdentity } from './relay-resources.ts';
import { RoutingTable, type RoutingView } from './routing-table.ts';

const INVALID_ARGUMENT = 3;

export interface TableClientOptions {
  readonly client: Client;
  readonly nodeId: string;
  /** Whether to ask for endpoints too. In Istio mode the own sidecar knows them. */
  readonly asksEndpoints: boolean;
  /** Endpoints that are left out, because they must not be dialled. */
  readonly isNeverRelayed: (endpoint: SocketAddress) => boolean;
  readonly onChange: (isOpen: boolean, reason: string) => void;
  /** A resource was refused (NACK); the last good one stays. */
  readonly onRejected: (resource: string, reason: string) => void;
}

/** One message from the controller, as far as it is read here. */
interface DeltaResponse {
  readonly type_url: string;
  readonly nonce: string;
  readonly resources?: readonly {
    readonly name: string;
    readonly version: string;
    readonly resource?: { readonly value?: Uint8Array };
  }[];
  readonly removed_resources?: readonly string[];
}

/** Keeps a {@link RoutingTable} like the controller's. While the controller is away, the last table stands. */
export class TableClient {
  readonly #options: TableClientOptions;
  readonly #stream: ControllerStream;
  readonly #table = new RoutingTable();
  readonly #identities = new IdentityTable();
  /** Version by name of what is held. */
  readonly #versions = { clusters: new Map<string, string>(), endpoints: new Map<string, string>() };
  /** Clusters whose endpoints the controller is asked for. */
  readonly #subscribed = new Set<string>();
  #call: ClientDuplexStream<object, object> | undefined;
  #hasClusters = false;
  #isLoaded = false;
  /** The controller has answered on the stream that is open. */
  #isCurrent = false;

  constructor(options: TableClientOptions) {
    this.#options = options;
    const { client, onChange } = options;
    this.#stream = new ControllerStream({ client, open: (ended) => this.#open(ended), onChange });
  }

  get view(): RoutingView {
    return this.#table;
  }

  /** Who has which address, as last told. */
  get identities(): IdentityView {
    return this.#identities;
  }

  /** The same while it is kept up to date. Addresses pass from pod to pod, so what is old would turn away their heirs. */
  get currentIdentities(): IdentityView {
    return { of: (address) => (this.#isCurrent ? this.#identities.of(address) : []) };
  }

  /** Number of service ports. */
  get size(): number {
    return this.#table.size;
  }

  /** Whether the controller has ever told all services and their endpoints. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get isConnected(): boolean {
    return this.#stream.isOpen;
  }

  start(): void {
    this.#stream.start();
  }

  stop(): void {
    this.#stream.stop();
  }

  #open(ended: (reason: string) => void): OpenStream {
    const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.DeltaAggregatedResources;
    const call: ClientDuplexStream<object, object> = this.#options.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
    );
    const over = (reason: string): void => {
      if (this.#call === call) {
        this.#call = undefined;
        this.#isCurrent = false;
      }
      ended(reason);
    };
    call.on('data', (response: DeltaResponse) => this.#respond(call, response));
    call.on('error', (error) => over(error.message));
    call.on('end', () => over('the controller ended the stream'));
    this.#call = call;
    this.#subscribe(call);
    return { cancel: () => call.cancel() };
  }

  /** The first requests of a stream; the node goes into the very first only. */
  #subscribe(call: ClientDuplexStream<object, object>): void {
    const { clusters, endpoints } = this.#versions;
    call.write({
      node: { id: this.#options.nodeId, user_agent_name: 'lazyscope-egress' },
      type_url: CLUSTER,
      initial_resource_versions: Object.fromEntries(clusters),
    });
    if (this.#subscribed.size === 0) return;
    call.write({
      type_url: CLUSTER_LOAD_ASSIGNMENT,
      resource_names_subscribe: [...this.#subscribed],
      initial_resource_versions: Object.fromEntries(endpoints),
    });
  }

  #respond(call: ClientDuplexStream<object, object>, response: DeltaResponse): void {
    const rejected = this.#apply(response);
    const error = rejected.length > 0 ? { code: INVALID_ARGUMENT, message: rejected.join('; ') } : undefined;
    call.write({
      type_url: response.type_url,
      response_nonce: response.nonce,
      ...(error ? { error_detail: error } : {}),
    });
    if (response.type_url === CLUSTER) {
      this.#hasClusters = true;
      this.#isCurrent = this.#call === call;
      if (this.#options.asksEndpoints) this.#followClusters(call);
    }
    this.#isLoaded ||= this.#hasClusters && (!this.#options.asksEndpoints || this.#table.isComplete);
  }

  /** Applies what can be read. @returns what cannot, each with its reason */
  #apply(response: DeltaResponse): string[] {
    const rejected: string[] = [];
    for (const { name, version, resource } of response.resources ?? []) {
      try {
        this.#set(response.type_url, name, resource?.value ?? new Uint8Array());
        this.#versionsOf(response.type_url)?.set(name, version);
      } catch (error) {
        const reason = reasonOf(error);
        this.#options.onRejected(name, reason);
        rejected.push(`${name}: ${reason}`);
      }
    }
    for (const name of response.removed_resources ?? []) this.#remove(response.type_url, name);
    return rejected;
  }

  #set(type: string, name: string, bytes: Uint8Array): void {
    if (type === CLUSTER && isIdentityName(name)) this.#identities.set(name, readIdentity(bytes));
    else if (type === CLUSTER) this.#table.set(name, readCluster(bytes));
    else if (type === CLUSTER_LOAD_ASSIGNMENT) {
      const endpoints = readEndpoints(bytes).filter((endpoint) => !this.#options.isNeverRelayed(endpoint));
      this.#table.setEndpoints(name, endpoints);
    }
  }

  #remove(type: string, name: string): void {
    this.#versionsOf(type)?.delete(name);
    if (type === CLUSTER && isIdentityName(name)) this.#identities.delete(name);
    else if (type === CLUSTER) this.#table.delete(name);
    else if (type === CLUSTER_LOAD_ASSIGNMENT) this.#table.setEndpoints(name, []);
  }

  #versionsOf(type: string): Map<string, string> | undefined {
    if (type === CLUSTER) return this.#versions.clusters;
    return type === CLUSTER_LOAD_ASSIGNMENT ? this.#versions.endpoints : undefined;
  }

  /** Asks for the endpoints of new clusters, and no more for those of removed ones. */
  #followClusters(call: ClientDuplexStream<object, object>): void {
    const wanted = new Set(this.#table.clustersWithEndpoints());
    const added = [...wanted].filter((name) => !this.#subscribed.has(name));
    const removed = [...this.#subscribed].filter((name) => !wanted.has(name));
    if (added.length === 0 && removed.length === 0) return;
    for (const name of added) this.#subscribed.add(name);
    for (const name of removed) {
      this.#subscribed.delete(name);
      this.#versions.endpoints.delete(name);
    }
    call.write({
      type_url: CLUSTER_LOAD_ASSIGNMENT,
      resource_names_subscribe: added,
      resource_names_unsubscribe: removed,
    });
  }
}
