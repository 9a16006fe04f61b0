/**
 * Istio mode in memory: a registry, a graph, and an API server that tells every write back as its watch would. Time moves
 * from one thing that is due to the next.
 */
import { DependencyGraph } from '../../../../controller/core/graph/graph.ts';
import type { IstioSettings } from '../../../../controller/core/istio/settings.ts';
import type { MeshObject, ObjectRef } from '../../../../controller/core/mesh-object.ts';
import type { DestinationRule } from '../../../../controller/core/mesh-policy.ts';
import type { ServiceKey, WorkloadKey } from '../../../../controller/core/model.ts';
import type { ManifestWrite, OperatorEvent, PublishableWrite } from '../../../../controller/core/publishing.ts';
import { Registry } from '../../../../controller/core/registry/registry.ts';
import { IstioPublishing } from '../../../../controller/istio-publishing.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';
import { pod, service, slice } from '../../../support/mesh-objects.ts';

export const SETTINGS: IstioSettings = {
  namespace: 'lazyscope',
  rootNamespace: 'istio-system',
  clusterDomain: 'cluster.local',
  promotionDelayMs: 12_000,
  allowPlaintextHop: false,
  allowRelayPastPolicies: false,
};

export const EGRESS = 'lazyscope/lazyscope-egress.lazyscope.svc.cluster.local';
export const PLACEHOLDER = 'lazyscope/lazyscope-placeholder.lazyscope.svc.cluster.local';
export const EGRESS_ADDRESS = '10.0.9.9';

/** Of the hop, as the manifests have it. */
export function hopRule(options: Partial<DestinationRule> = {}): DestinationRule {
  return {
    kind: 'DestinationRule',
    namespace: 'lazyscope',
    name: 'lazyscope-egress',
    host: 'lazyscope-egress.lazyscope.svc.cluster.local',
    proxyProtocol: 'V2',
    tls: 'ISTIO_MUTUAL',
    ...options,
  };
}

const egress = service('lazyscope-egress', { 15080: 'Auto' }, { namespace: 'lazyscope', clusterIP: '10.96.9.9' });

/** What the manifests bring, and an egress that is ready. */
export const INSTALLED: readonly MeshObject[] = [
  egress,
  slice(egress, [EGRESS_ADDRESS]),
  hopRule(),
  service('lazyscope-decoy', { 80: 'HTTP' }, { namespace: 'lazyscope', clusterIP: '10.96.9.8' }),
  service('lazyscope-placeholder', { 80: 'HTTP' }, { namespace: 'lazyscope', clusterIP: '10.96.9.7' }),
];

/** Pods of the Deployment `shop/front`, that want to be lazy. */
export const FRONT: WorkloadKey = 'shop/Deployment/front';
export const front = pod('front-0', '10.0.0.1', { mode: 'Enforce' });
export const keyOf = (name: string, namespace = 'shop'): ServiceKey =>
  `${namespace}/${name}.${namespace}.svc.cluster.local`;

/** What an API server stores: fields of a Service that it fills in included. */
function stored(write: ManifestWrite & { readonly type: 'Apply' }): unknown {
  const { manifest } = write;
  return manifest.kind === 'Service' ? { ...manifest, spec: { ...manifest.spec, clusterIP: '10.96.9.1' } } : manifest;
}

export interface WorldOptions {
  readonly settings?: Partial<IstioSettings>;
  readonly graph?: DependencyGraph;
  readonly objects?: readonly MeshObject[];
}

export class IstioWorld {
  now = 1_000_000;
  /** Everything that was written, as `Apply Sidecar shop/lazyscope-deployment-front`. */
  readonly log: string[] = [];
  readonly events: OperatorEvent[] = [];
  readonly problems: string[] = [];
  readonly settings: IstioSettings;
  readonly registry = new Registry({ defaultMode: 'Observe', dialect: 'istio' });
  readonly graph: DependencyGraph;
  publishing: IstioPublishing;
  /** What a write meets at the API server; throws what the API server would answer. */
  meets: (write: PublishableWrite) => void = () => undefined;
  readonly #specs = new Map<string, object>();

  constructor({ settings, graph, objects = [...INSTALLED, front] }: WorldOptions = {}) {
    this.settings = { ...SETTINGS, ...settings };
    this.graph = graph ?? new DependencyGraph();
    this.publishing = this.#newPublishing();
    this.registry.apply(objects.map((object) => ({ type: 'Applied', object, at: this.now })));
  }

  #newPublishing(): IstioPublishing {
    const publishing = new IstioPublishing({
      settings: this.settings,
      registry: this.registry,
      graph: this.graph,
      touched: () => undefined,
      problem: ({ subject, reason }) => this.problems.push(`${subject}: ${reason}`),
      now: () => this.now,
    });
    publishing.onEvent((event) => this.events.push(event));
    return publishing;
  }

  /** Mesh and graph are complete, and an egress is connected. */
  begin(egresses: readonly string[] = [EGRESS_ADDRESS]): this {
    this.publishing.begin(new Set(egresses));
    return this;
  }

  /** The controller is started anew; what it knew besides mesh and graph is lost. */
  restart(): this {
    this.publishing = this.#newPublishing();
    this.log.length = 0;
    return this.begin();
  }

  tell(...objects: readonly MeshObject[]): void {
    const changes = this.registry.apply(objects.map((object) => ({ type: 'Applied', object, at: this.now })));
    this.publishing.registryChanged(changes);
  }

  remove(...refs: readonly ObjectRef[]): void {
    const changes = this.registry.apply(refs.map((ref) => ({ type: 'Deleted', ref, at: this.now })));
    this.publishing.registryChanged(changes);
  }

  /** The workload uses these, and that is durable. */
  learn(services: readonly string[], workload = FRONT): void {
    for (const service of services) {
      for (const { port } of this.registry.portsOf(service)) this.#learn(workload, service, port);
    }
    this.publishing.graphChanged([workload]);
  }

  #learn(source: WorkloadKey, service: ServiceKey, port: number): void {
    this.graph.put({
      source,
      destination: { kind: 'Service', service, port },
      protocol: 'TCP',
      origin: 'EgressLog',
      state: 'warming',
      firstSeen: this.now,
      lastSeen: this.now,
      counters: { connections: 1, requests: 0, bytesSent: 0, bytesReceived: 0, errors: 0 },
    });
  }

  /** Carries out what is due now. @returns how many writes there were */
  write(): number {
    const due = this.publishing.dueWrites(this.now);
    for (const write of due) this.#carryOut(write);
    return due.length;
  }

  #carryOut(write: PublishableWrite): void {
    try {
      this.meets(write);
    } catch (error) {
      this.publishing.failed(write, error, this.now);
      return;
    }
    this.log.push(textOf(write.write));
    this.publishing.written(write, this.now);
    this.#tellBack(write.write);
  }

  #tellBack(write: ManifestWrite): void {
    if (write.type === 'Delete') {
      this.#specs.delete(nameOf(write.ref));
      const { kind, namespace, name } = write.ref;
      this.remove({ kind: kind as ObjectRef['kind'], namespace, name });
      return;
    }
    const { kind, metadata, spec } = write.manifest;
    this.#specs.set(nameOf({ kind, ...metadata }), spec);
    this.tell(...reduce(stored(write), { clusterDomain: 'cluster.local', undeclared: 'Auto' }).objects);
  }

  /** Lets time pass from one due thing to the next, until nothing is due within `ms`. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let rounds = 0; this.publishing.nextWriteAt <= end; rounds += 1) {
      if (rounds > 1_000) throw new Error(`still something due at once after ${this.log.length} writes`);
      this.now = Math.max(this.now, this.publishing.nextWriteAt);
      this.write();
    }
    this.now = end;
  }

  /** Everything written has arrived, as a probe would tell. */
  arrive(): void {
    this.publishing.arrived(this.now, this.now);
  }

  routed(workload = FRONT): string[] | undefined {
    const published = this.publishing.status(workload)?.published;
    return published && [...published.routed].sort();
  }

  warm(workload = FRONT): string[] | undefined {
    const published = this.publishing.status(workload)?.published;
    return published && [...published.warm].sort();
  }

  refusal(workload = FRONT): string | undefined {
    return this.publishing.status(workload)?.refusal?.reason;
  }

  /** `spec` of the object as the API server has it. */
  spec(name: string): object | undefined {
    return this.#specs.get(name);
  }

  /** Port numbers of placeholder or decoy. */
  ports(name: string): number[] {
    const found = this.registry.services.get(keyOf(name, 'lazyscope'));
    return (found?.ports ?? []).map(({ port }) => port).sort((a, b) => a - b);
  }
}

function textOf(write: ManifestWrite): string {
  return `${write.type} ${write.type === 'Delete' ? nameOf(write.ref) : nameOf({ ...write.manifest, ...write.manifest.metadata })}`;
}

function nameOf({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}) {
  return `${kind} ${namespace}/${name}`;
}

export const FRONT_SIDECAR = 'Sidecar shop/lazyscope-deployment-front';
export const cart = service('cart', { 80: 'HTTP' }, { clusterIP: '10.96.0.1' });
export const SHOP: readonly MeshObject[] = [
  ...INSTALLED,
  front,
  cart,
  service('pay', { 80: 'HTTP' }, { clusterIP: '10.96.0.2' }),
];
export const KILL_SWITCH = { kind: 'ConfigMap', namespace: 'lazyscope', name: 'lazyscope-kill-switch' } as const;

/** A world in which front is lazy and has learned cart. */
export function lazyFront(objects: readonly MeshObject[] = SHOP): IstioWorld {
  const world = new IstioWorld({ objects }).begin();
  world.pass(30_000);
  world.learn([keyOf('cart')]);
  world.pass(60_000);
  world.log.length = 0;
  return world;
}
