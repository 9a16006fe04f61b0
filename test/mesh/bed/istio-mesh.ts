/**
 * A mesh with Lazyscope in it, in Istio mode, as `manifests/` describe it: its objects, the controller with exactly the
 * rights of its ServiceAccount, and egresses with sidecars of their own.
 *
 *     const mesh = await IstioMesh.start(); // or start({ mutualTls: 'Strict' }): real agents and mTLS on every hop
 *     const server = await mesh.bed.pod('server-0', { interception: 'none' });
 *     const web = await mesh.service({ name: 'web', ports: { http: 8080 }, pods: [server] });
 *     await mesh.enforce('shop'); // Namespace shop; or mesh.annotate(reference, 'Enforce') for a workload or pod
 *     const client = await mesh.lazyClient('client'); // its sidecar knows nothing but what every lazy one does
 *     ... // call web
 *     await mesh.learned(client, web); // active, and in the sidecar
 *     await mesh.outboundClusters(client);
 *     mesh.destroy();
 *
 * Nothing of Kubernetes but its API server runs: the bed itself writes pods and EndpointSlices, also those of the egress
 * (`setEgressesReady`).
 */
import type { EdgeReport } from '../../../controller/core/report.ts';
import { Egress } from '../../support/bed/egress.ts';
import type { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { Pod, PodOptions } from '../../support/bed/pod.ts';
import { CONTROLLER_GRPC_PORT, EGRESS_PORT } from '../../support/bed/ports.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { eventually } from '../../support/eventually.ts';
import { type Flags, IstioController } from './istio-controller.ts';
import type { ObjectReference, StoredObject } from './kubernetes-client.ts';
import { manifestOf, readManifests } from './manifests.ts';
import { MeshBed, type MeshBedOptions, type ServiceObject } from './mesh-bed.ts';
import { ownPod } from './own-pods.ts';
import { SECURE_XDS_PORT, XDS_PORT } from './ports.ts';
import { endpointSliceObject, type MeshServiceOptions } from './service-objects.ts';
import type { WorkloadOptions } from './workload-objects.ts';

const NAMESPACE = 'lazyscope';
const CONTROLLER = 'lazyscope-controller';
const EGRESS = 'lazyscope-egress';

/** What takes the place of no mTLS on the hop where pods have no agents. */
const PLAINTEXT: Flags = { 'allow-plaintext-hop': '' };

/** Long enough for istiod's usual debounce of 100 ms, short enough for tests. */
const PROMOTION_DELAY_SECONDS = '2';

export interface IstioMeshOptions extends MeshBedOptions {
  /** Flags of the controller over the fixture's. */
  readonly controllerFlags?: Flags;
  /** The controller asks istiod whether writes have arrived. Default: the delay decides. */
  readonly probe?: boolean;
  /** Default 1. */
  readonly egresses?: number;
  /** Changes an object of the manifests before it is written; `undefined` leaves it out. */
  readonly edit?: (object: KubernetesObject) => KubernetesObject | undefined;
}

export class IstioMesh {
  readonly bed: MeshBed;
  readonly controller: IstioController;
  readonly egresses: readonly Egress[];
  readonly #egressFlags: readonly Flags[];
  readonly #admins: Map<Pod, EnvoyAdmin>;

  private constructor(parts: {
    readonly bed: MeshBed;
    readonly controller: IstioController;
    readonly egresses: readonly Egress[];
    readonly egressFlags: readonly Flags[];
    readonly admins: Map<Pod, EnvoyAdmin>;
  }) {
    this.bed = parts.bed;
    this.controller = parts.controller;
    this.egresses = parts.egresses;
    this.#egressFlags = parts.egressFlags;
    this.#admins = parts.admins;
  }

  /** Everything runs and is ready when it resolves. */
  static async start(options: IstioMeshOptions = {}): Promise<IstioMesh> {
    const { controllerFlags = {}, egresses: count = 1, edit, probe, ...bedOptions } = options;
    const bed = await MeshBed.start(bedOptions);
    try {
      const objects = await applyManifests(bed, edit);
      const admins = new Map<Pod, EnvoyAdmin>();
      const deployment = manifestOf(objects, 'Deployment', EGRESS);
      const pods = await Promise.all(Array.from({ length: count }, (_, index) => ownPod(bed, deployment, index)));
      const [flags, ...certificates] = await Promise.all([
        controllerCertificates(bed, manifestOf(objects, 'Deployment', CONTROLLER)),
        ...pods.map((pod) => startSidecar(bed, pod, admins)),
      ]);
      const address = await controllerAddress(bed);
      const token = await bed.client.serviceAccountToken(NAMESPACE, CONTROLLER);
      const controller = new IstioController(bed.bed, bed.client.as(token).access, {
        'promotion-delay': PROMOTION_DELAY_SECONDS,
        'cluster-domain': bed.clusterDomain,
        ...flags,
        ...(probe ? { istiod: istiodAddress(bed) } : {}),
        ...controllerFlags,
      });
      const egresses = pods.map((pod) => new Egress(bed.bed, pod));
      const egressFlags = certificates.map((more) => ({
        mode: 'istio',
        controller: address,
        'cluster-domain': bed.clusterDomain,
        ...more,
      }));
      const mesh = new IstioMesh({ bed, controller, egresses, egressFlags, admins });
      await mesh.setEgressesReady(egresses);
      await Promise.all([controller.start(), ...egresses.map((egress) => mesh.startEgress(egress))]);
      await Promise.all(egresses.map((egress) => egress.ready()));
      return mesh;
    } catch (error) {
      bed.destroy();
      throw error;
    }
  }

  /** The first egress. */
  get egress(): Egress {
    const [egress] = this.egresses;
    if (!egress) throw new Error('This mesh has no egress');
    return egress;
  }

  /** Starts an egress of this mesh, again after it was ended. */
  async startEgress(egress: Egress): Promise<void> {
    await egress.start(this.#egressFlags[this.egresses.indexOf(egress)]);
  }

  /** The Envoy of a pod that `sidecar` or `client` started. */
  admin(pod: Pod): EnvoyAdmin {
    const admin = this.#admins.get(pod);
    if (!admin) throw new Error(`Pod ${pod.name} has no sidecar of this mesh`);
    return admin;
  }

  /** Starts a pod's sidecar: a plain Envoy, or the real agent where mTLS is on. */
  async sidecar(pod: Pod): Promise<EnvoyAdmin> {
    await startSidecar(this.bed, pod, this.#admins);
    return this.admin(pod);
  }

  /** A pod with a sidecar. */
  async client(name: string, options: PodOptions & WorkloadOptions = {}): Promise<Pod> {
    const pod = await this.bed.pod(name, options);
    await this.sidecar(pod);
    return pod;
  }

  /**
   * A pod whose sidecar knows nothing but what every lazy one does.
   * @param name of its Deployment, which no other test should have: writes for one workload wait for one another
   */
  async lazyClient(name: string, options: PodOptions & WorkloadOptions = {}): Promise<Pod> {
    const client = await this.client(`${name}-0`, options);
    await this.lazy(client);
    return client;
  }

  /** A new Service, which the egress's sidecar knows: without it nothing is reached, as no kube-proxy runs. */
  async service(options: MeshServiceOptions): Promise<ServiceHandle> {
    const handle = await this.bed.service(options);
    await this.knownToEgress(handle.host);
    return handle;
  }

  /** Waits until the egress's sidecar routes to a host. */
  async knownToEgress(host: string): Promise<void> {
    const admin = this.admin(this.egress.pod);
    await eventually(`the egress's sidecar routes to ${host}`, async () => {
      const dumps = await Promise.all([admin.dump('RoutesConfigDump'), admin.dump('ListenersConfigDump')]);
      if (!dumps.some((dump) => JSON.stringify(dump).includes(`|${host}"`))) return false;
      return (await admin.stat('listener_manager.total_listeners_warming')) === 0;
    });
  }

  /** Writes the egress Service's endpoints, in place of the controller that no bed runs: these are ready, others not. */
  async setEgressesReady(ready: readonly Egress[]): Promise<void> {
    const isReady = ({ pod }: Egress): boolean => ready.some((other) => other.pod === pod);
    const slice = endpointSliceObject({
      name: EGRESS,
      namespace: NAMESPACE,
      ports: { proxy: EGRESS_PORT },
      pods: this.egresses.map(({ pod }) => pod),
      unready: this.egresses.filter((egress) => !isReady(egress)).map(({ pod }) => pod),
    });
    await this.bed.client.apply(slice);
  }

  /** Annotates an object with a mode, or takes the annotation away. */
  async annotate(reference: ObjectReference, mode: 'Enforce' | 'Observe' | 'Off' | null): Promise<void> {
    const body = { metadata: { annotations: { 'lazyscope.io/mode': mode } } };
    const path = await this.bed.client.path(reference);
    await this.bed.client.request('PATCH', path, body, 'application/merge-patch+json');
  }

  /** Annotates a Namespace, made where there is none. */
  async enforce(namespace = 'shop', mode: 'Enforce' | 'Off' | null = 'Enforce'): Promise<void> {
    await this.bed.namespace(namespace);
    await this.annotate({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, mode);
  }

  /** `outbound|` clusters of a pod's sidecar, less those that every lazy one has. Sorted. */
  async outboundClusters(pod: Pod): Promise<readonly string[]> {
    const own = new RegExp(`\\.${NAMESPACE}\\.svc\\.|\\.${NAMESPACE}\\.internal$`);
    return (await this.admin(pod).clusters()).filter((name) => name.startsWith('outbound|') && !own.test(name));
  }

  /** Whether unknown destinations lead to the egress. */
  async isLazy(pod: Pod): Promise<boolean> {
    const { dynamic_listeners: listeners = [] } = (await this.admin(pod).dump('ListenersConfigDump')) as {
      readonly dynamic_listeners?: readonly { readonly name: string }[];
    };
    const catchAll = JSON.stringify(listeners.find(({ name }) => name === 'virtualOutbound')) ?? '';
    return catchAll.includes(`outbound|${EGRESS_PORT}||${EGRESS}.${NAMESPACE}.svc.`);
  }

  /** Waits until unknown destinations of a pod lead to the egress. */
  async lazy(pod: Pod): Promise<void> {
    await eventually(`the sidecar of ${pod.name} is lazy`, () => this.isLazy(pod));
  }

  /** Waits until a lazy pod's sidecar has forgotten everything that it does not need. */
  async narrowed(pod: Pod): Promise<void> {
    await eventually(`the sidecar of ${pod.name} is narrow`, async () => {
      const clusters = await this.outboundClusters(pod);
      return (
        (await this.isLazy(pod)) &&
        !clusters.some((name) => name.endsWith(`kubernetes.default.svc.${this.bed.clusterDomain}`))
      );
    });
  }

  /** Waits until no listener of a pod's sidecar drains: those that were changed cut their connections only then. */
  async drained(pod: Pod): Promise<void> {
    const gauges = ['listener_manager.total_listeners_draining', 'listener_manager.total_filter_chains_draining'];
    await eventually('no listener drains', async () => {
      const values = await Promise.all(gauges.map((gauge) => this.admin(pod).stat(gauge)));
      return values.every((value) => value === 0);
    });
  }

  /** Waits until a pod's sidecar knows everything and none of its destinations leads to the egress. */
  async eager(pod: Pod, timeoutMs = 20_000): Promise<void> {
    await eventually(`the sidecar of ${pod.name} is eager`, async () => !(await this.isLazy(pod)), { timeoutMs });
  }

  /** Waits until the controller says that a dependency is active. @param workload default: the pod's Deployment */
  async learned(from: Pod, to: Pick<ServiceHandle, 'key'>, workload = from.workload): Promise<EdgeReport> {
    return this.controller.api.edge(workload, to.key);
  }

  /** The Sidecars that the controller wrote. */
  async sidecars(): Promise<readonly StoredObject[]> {
    const path = '/apis/networking.istio.io/v1/sidecars?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dlazyscope';
    const list = await this.bed.client.request<{ readonly items: readonly StoredObject[] }>('GET', path);
    return list.items;
  }

  destroy(): void {
    this.bed.destroy();
  }
}

/** Where the probe asks. */
function istiodAddress({ bed, mutualTls }: MeshBed): string {
  return `${bed.network.hostAddress}:${mutualTls === 'Off' ? XDS_PORT : SECURE_XDS_PORT}`;
}

/** Writes all but the programs, for which the bed's pods stand; returns all. */
async function applyManifests(
  bed: MeshBed,
  edit: IstioMeshOptions['edit'] = (object) => object,
): Promise<readonly KubernetesObject[]> {
  const objects = readManifests('istio');
  for (const object of objects) {
    if (object.kind === 'Deployment') continue;
    const edited = edit(bed.mutualTls === 'Off' ? inClear(object) : object);
    if (edited) await bed.client.apply(edited);
  }
  return objects;
}

/** Pods without agents have no certificates: the rule on the egress is the same but for its mTLS. */
function inClear(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'DestinationRule' || object.metadata.name !== EGRESS) return object;
  const spec = object['spec'] as { readonly trafficPolicy: object };
  return { ...object, spec: { ...spec, trafficPolicy: { ...spec.trafficPolicy, tls: { mode: 'DISABLE' } } } };
}

/** How egresses reach the controller: through its Service, whose endpoint is this machine. */
async function controllerAddress({ bed, client }: MeshBed): Promise<string> {
  const metadata = { name: CONTROLLER, namespace: NAMESPACE };
  await client.apply({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, name: `${CONTROLLER}-1`, labels: { 'kubernetes.io/service-name': CONTROLLER } },
    addressType: 'IPv4',
    ports: [{ name: 'als', port: CONTROLLER_GRPC_PORT, protocol: 'TCP' }],
    endpoints: [{ addresses: [bed.network.hostAddress], conditions: { ready: true } }],
  });
  const service = await client.get<ServiceObject>({ apiVersion: 'v1', kind: 'Service', metadata });
  return `${service.spec.clusterIP}:${CONTROLLER_GRPC_PORT}`;
}

/** The controller runs on this machine; a pod of its ServiceAccount gets it certificates. */
async function controllerCertificates(bed: MeshBed, deployment: KubernetesObject): Promise<Flags> {
  if (bed.mutualTls === 'Off') return PLAINTEXT;
  return startSidecar(bed, await ownPod(bed, deployment, 0), new Map());
}

/** Flags by which a program of ours in that pod finds its certificates. */
async function startSidecar(bed: MeshBed, pod: Pod, admins: Map<Pod, EnvoyAdmin>): Promise<Flags> {
  if (bed.mutualTls === 'Off') {
    admins.set(pod, (await bed.startEnvoy(pod)).admin);
    return {};
  }
  const { admin, certificates } = await bed.startAgent(pod);
  admins.set(pod, admin);
  return { 'tls-certificates': certificates };
}
