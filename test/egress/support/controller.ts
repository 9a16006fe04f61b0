import type { TestContext } from 'node:test';
import type { ServerDuplexStream, ServerReadableStream } from '@grpc/grpc-js';
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import {
  type AccessLogEntry,
  CLUSTER,
  CLUSTER_LOAD_ASSIGNMENT,
  type PortProtocol,
  type SocketAddress,
} from '../../../controller/core/model.ts';
import { IDENTITY_METADATA, identityName, type PodIdentity } from '../../../controller/core/pod-identity.ts';
import { METADATA_NAMESPACE } from '../../../controller/core/relay-target.ts';
import { decodeAccessLogs } from '../../../controller/wire/access-log-decoder.ts';
import { AccessLogService, AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { encode } from '../../../controller/wire/messages.ts';
import { CHANNEL_OPTIONS } from '../../../egress/controller-stream.ts';
import { until } from './until.ts';

/** A delta request as the egress sends it. */
export interface DeltaRequest {
  readonly node?: { readonly id: string };
  readonly type_url: string;
  readonly resource_names_subscribe?: readonly string[];
  readonly resource_names_unsubscribe?: readonly string[];
  readonly initial_resource_versions?: Readonly<Record<string, string>>;
  readonly response_nonce?: string;
  readonly error_detail?: { readonly message: string };
}

interface AdsStream {
  readonly call: ServerDuplexStream<DeltaRequest, object>;
  readonly requests: DeltaRequest[];
}

interface AlsStream {
  readonly call: ServerReadableStream<Buffer, object>;
  readonly nodeIds: string[];
  readonly entries: AccessLogEntry[];
  /** Numbers of refused connections by source. */
  readonly refusals: ReadonlyMap<string, number>[];
}

/** A controller that does only what the test tells it: real gRPC, no logic. */
export class FakeController {
  readonly ads: AdsStream[] = [];
  readonly als: AlsStream[] = [];
  /** Set to leave access logs unread. */
  isDeaf = false;
  #server = new Server();
  #port = 0;
  readonly #credentials: ServerCredentials;
  #nonce = 0;

  constructor(serverCredentials = ServerCredentials.createInsecure()) {
    this.#credentials = serverCredentials;
  }

  get address(): SocketAddress {
    return { address: '127.0.0.1', port: this.#port };
  }

  /** Serves; again on the same port after {@link kill}. */
  async start(): Promise<void> {
    const server = new Server();
    server.addService(AggregatedDiscoveryService, {
      DeltaAggregatedResources: (call: ServerDuplexStream<DeltaRequest, object>) => this.#onAds(call),
    });
    server.addService(AccessLogService, {
      StreamAccessLogs: (call: ServerReadableStream<Buffer, object>, done: (error: null, value: object) => void) => {
        this.#onAls(call);
        call.on('end', () => done(null, {}));
      },
    });
    this.#port = await new Promise((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.#port}`, this.#credentials, (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
    this.#server = server;
  }

  /** Breaks every connection, as kill -9 does. */
  kill(): void {
    this.#server.forceShutdown();
  }

  client(t: TestContext): Client {
    const client = new Client(`127.0.0.1:${this.#port}`, credentials.createInsecure(), CHANNEL_OPTIONS);
    t.after(() => client.close());
    return client;
  }

  /** The stream with this number, once it is there. */
  async adsStream(number: number): Promise<AdsStream> {
    await until(() => this.ads.length > number);
    return this.ads[number] as AdsStream;
  }

  async alsStream(number: number): Promise<AlsStream> {
    await until(() => this.als.length > number);
    return this.als[number] as AlsStream;
  }

  /** @returns the nonce */
  push(stream: AdsStream, type: string, resources: readonly TestResource[], removed: readonly string[] = []): string {
    this.#nonce += 1;
    stream.call.write({
      type_url: type,
      nonce: `${this.#nonce}`,
      resources: resources.map(({ name, version, bytes }) => ({
        name,
        version,
        resource: { type_url: type, value: bytes },
      })),
      removed_resources: removed,
    });
    return `${this.#nonce}`;
  }

  #onAds(call: ServerDuplexStream<DeltaRequest, object>): void {
    const stream: AdsStream = { call, requests: [] };
    call.on('data', (request: DeltaRequest) => stream.requests.push(request));
    call.on('error', () => {});
    call.on('end', () => call.end());
    this.ads.push(stream);
  }

  #onAls(call: ServerReadableStream<Buffer, object>): void {
    const stream: AlsStream = { call, nodeIds: [], entries: [], refusals: [] };
    this.als.push(stream);
    call.on('error', () => {});
    const listen = (): void => {
      call.on('data', (bytes: Buffer) => {
        const { nodeId, entries, refusals } = decodeAccessLogs(bytes, '');
        if (nodeId !== undefined) stream.nodeIds.push(nodeId);
        stream.entries.push(...entries);
        if (refusals !== undefined) stream.refusals.push(refusals);
      });
    };
    if (this.isDeaf) call.pause();
    else listen();
    call.once('listen', () => {
      listen();
      call.resume();
    });
  }
}

export interface TestResource {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

export async function startController(t: TestContext, serverCredentials?: ServerCredentials): Promise<FakeController> {
  const controller = new FakeController(serverCredentials);
  await controller.start();
  t.after(() => controller.kill());
  return controller;
}

/** Name of the cluster of a test service on port 80. */
export function clusterName(service: string): string {
  return `outbound|80||${service}.test.svc.cluster.local`;
}

/** A service on port 80, as the controller describes it. */
export function cluster(
  service: string,
  clusterIP: string | undefined,
  version = '1',
  protocol: PortProtocol = 'HTTP',
): TestResource {
  const name = clusterName(service);
  const target = {
    service: `test/${service}.test.svc.cluster.local`,
    port: 80,
    protocol,
    clusterIPs: clusterIP === undefined ? [] : [clusterIP],
    hosts: [`${service}.test`],
    headless: clusterIP === undefined,
    relayable: true,
  };
  const message = { name, metadata: { filter_metadata: { [METADATA_NAMESPACE]: target } } };
  return { name, version, bytes: encode(CLUSTER, message) };
}

export function assignment(service: string, endpoints: readonly SocketAddress[], version = '1'): TestResource {
  const name = clusterName(service);
  const lbEndpoints = endpoints.map(({ address, port }) => ({
    endpoint: { address: { socket_address: { address, port_value: port } } },
  }));
  const message = { cluster_name: name, endpoints: [{ lb_endpoints: lbEndpoints }] };
  return { name, version, bytes: encode(CLUSTER_LOAD_ASSIGNMENT, message) };
}

export function identity(of: PodIdentity, version = '1'): TestResource {
  const name = identityName(of);
  const message = { name, metadata: { filter_metadata: { [IDENTITY_METADATA]: { ...of } } } };
  return { name, version, bytes: encode(CLUSTER, message) };
}
