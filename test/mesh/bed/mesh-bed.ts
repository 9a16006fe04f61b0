/**
 * A mesh bed: a {@link Bed} with a real API server and istiod on this machine.
 *
 *     const mesh = await MeshBed.start();
 *     const cart = await mesh.pod('cart-0'); // a network of its own, and its objects at the API server
 *     await mesh.startEnvoy(cart); // or, after start({ mutualTls: 'Strict' }), mesh.startAgent(cart)
 *     const catalog = await mesh.service({ name: 'catalog', ports: { http: 80 }, pods: [await mesh.pod('catalog-0')] });
 *     await mesh.client.apply(sidecar);
 *     mesh.destroy();
 */

import { Bed } from '../../support/bed/bed.ts';
import { ipBatch } from '../../support/bed/command.ts';
import type { Envoy, EnvoyOptions } from '../../support/bed/envoy.ts';
import type { Pod, PodOptions } from '../../support/bed/pod.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { builtServers } from '../servers/server-cache.ts';
import { istio, kubeApiServer } from '../servers/server-module.ts';
import { type Agent, startAgent } from './agent.ts';
import { ApiServer } from './api-server.ts';
import { applyCrds } from './crds.ts';
import { etcd } from './etcd.ts';
import { Istiod, type IstiodOptions, type MutualTls, ROOT_NAMESPACE } from './istiod.ts';
import type { KubernetesClient, StoredObject } from './kubernetes-client.ts';
import { applyMeshConfig, type MeshConfig } from './mesh-config.ts';
import type { MeshServer } from './mesh-server.ts';
import { plainBootstrap } from './plain-bootstrap.ts';
import { XDS_PORT } from './ports.ts';
import { endpointSliceObject, type MeshServiceOptions, serviceObject } from './service-objects.ts';
import { applyWorkload, type WorkloadOptions } from './workload-objects.ts';

export interface MeshBedOptions extends Partial<IstiodOptions> {
  /** Over the bed's own mesh configuration. */
  readonly meshConfig?: MeshConfig;
  /** Of every namespace that the bed makes, unless it is told otherwise. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
}

export interface NamespaceOptions {
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ServiceObject extends StoredObject {
  readonly spec: { readonly clusterIP: string };
}

/** Injection's label, by which istiod knows that a pod speaks mTLS. */
const AGENT_LABELS = { 'security.istio.io/tlsMode': 'istio' };

/** Folders of the built servers. */
interface Servers {
  readonly kubernetes: string;
  readonly istio: string;
}

export class MeshBed {
  readonly bed: Bed;
  readonly etcd: MeshServer;
  readonly apiServer: ApiServer;
  readonly istiod: Istiod;
  readonly mutualTls: MutualTls;
  /** DNS domain of Services. */
  readonly clusterDomain: string;
  readonly #servers: Servers;
  readonly #namespaceLabels: Readonly<Record<string, string>>;
  readonly #namespaces = new Set<string>();

  private constructor(bed: Bed, servers: Servers, options: IstiodOptions & MeshBedOptions) {
    this.bed = bed;
    this.#servers = servers;
    this.#namespaceLabels = options.namespaceLabels ?? {};
    this.mutualTls = options.mutualTls;
    this.clusterDomain = options.clusterDomain;
    this.etcd = etcd(bed);
    this.apiServer = new ApiServer(bed, servers.kubernetes);
    this.istiod = new Istiod(bed, servers.istio, this.client.access, options);
  }

  /** Every server serves when it resolves. */
  static async start({ meshConfig = {}, ...options }: MeshBedOptions = {}): Promise<MeshBed> {
    const servers = { kubernetes: await builtServers(kubeApiServer), istio: await builtServers(istio) };
    const bed = await Bed.create();
    try {
      const mesh = new MeshBed(bed, servers, { mutualTls: 'Off', clusterDomain: 'cluster.local', ...options });
      await mesh.etcd.start();
      await mesh.apiServer.start();
      await applyCrds(mesh.client, servers.istio);
      await mesh.configure(meshConfig);
      await mesh.istiod.start();
      return mesh;
    } catch (error) {
      bed.destroy();
      throw error;
    }
  }

  /** The API server, as an administrator. */
  get client(): KubernetesClient {
    return this.apiServer.client;
  }

  /** Changes the mesh configuration, which istiod watches, to the bed's own and the given fields. */
  async configure(meshConfig: MeshConfig): Promise<void> {
    await applyMeshConfig(this.client, this.mutualTls, meshConfig);
    await this.client.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: ROOT_NAMESPACE, labels: this.#namespaceLabels },
    });
  }

  /** Makes a namespace where there is none. */
  async namespace(name: string, { labels = this.#namespaceLabels }: NamespaceOptions = {}): Promise<void> {
    if (this.#namespaces.has(name)) return;
    await this.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    this.#namespaces.add(name);
  }

  /**
   * A new pod, known to the API server as running. Under `Strict` it is one with an agent, which also takes what dials
   * it, unless `interception` says otherwise; with `none` it has no sidecar.
   */
  async pod(name: string, options: PodOptions & WorkloadOptions = {}): Promise<Pod> {
    const hasAgent = this.mutualTls === 'Strict' && options.interception !== 'none';
    const pod = this.bed.pod(name, { ...(hasAgent ? { interception: 'both' } : {}), ...options });
    await this.namespace(pod.namespace);
    const labels = hasAgent ? { ...AGENT_LABELS, ...options.labels } : options.labels;
    await applyWorkload(this.client, pod, { ...options, ...(labels ? { labels } : {}) });
    return pod;
  }

  /** A new Service with the given pods as endpoints, and how to call its first port. */
  async service(options: MeshServiceOptions): Promise<ServiceHandle> {
    const { name, namespace = 'shop', ports, pods = [] } = options;
    await this.namespace(namespace);
    const { spec } = await this.client.apply<ServiceObject>(serviceObject(options));
    await this.client.apply(endpointSliceObject(options));
    const address = spec.clusterIP === 'None' ? (pods[0]?.address ?? '') : spec.clusterIP;
    const [port = 0] = Object.values(ports);
    const host = `${name}.${namespace}.svc.${this.clusterDomain}`;
    return { name, address, port, host, key: `${namespace}/${host}` };
  }

  /** Lets a pod be reached by a ClusterIP also from where no sidecar knows it, as kube-proxy would. */
  answerFor(pod: Pod, { address }: Pick<ServiceHandle, 'address'>): void {
    ipBatch([`addr add ${address}/32 dev eth0`], pod.netns);
  }

  /** Starts an Envoy without an agent in a pod, and waits until it has its configuration of istiod. */
  async startEnvoy(pod: Pod, options: EnvoyOptions = {}): Promise<Envoy> {
    const xds = { address: this.bed.network.hostAddress, port: XDS_PORT };
    return pod.startEnvoy(plainBootstrap(pod, xds, this.clusterDomain), options);
  }

  /** Starts the real agent with its Envoy in a pod of a `Strict` bed, and waits until it has its certificates. */
  async startAgent(pod: Pod): Promise<Agent> {
    const { bed, client, clusterDomain } = this;
    return startAgent({ bed, client, clusterDomain, servers: this.#servers.istio }, pod);
  }

  destroy(): void {
    this.bed.destroy();
  }
}
