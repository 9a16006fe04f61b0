/** A pipeline with a small mesh around it: a store that can be held, a clock that is set by hand. */
import type { MeshObject } from '../../controller/core/mesh-object.ts';
import type { Dependency, NodeIdentity } from '../../controller/core/model.ts';
import { CLUSTER } from '../../controller/core/model.ts';
import type { DirtyClients, Problem, Store } from '../../controller/core/ports.ts';
import { SnapshotBuilder } from '../../controller/core/snapshot/snapshot.ts';
import { Pipeline } from '../../controller/pipeline.ts';
import { entry, pod, service } from '../support/mesh-objects.ts';

export const cart = service('cart', { 80: 'HTTP', 9000: 'TCP' }, { clusterIP: '10.96.0.1' });
export const pay = service('pay', { 80: 'HTTP' }, { namespace: 'bank', clusterIP: '10.96.0.2' });
export const MESH: readonly MeshObject[] = [cart, pay, pod('front-0', '10.0.0.1'), pod('front-1', '10.0.0.2')];
export const FRONT = 'shop/Deployment/front';
export const CART_CLUSTER = 'outbound|80||cart.shop.svc.cluster.local';

export function sidecar(name: string, address: string): NodeIdentity {
  const domain = 'shop.svc.cluster.local';
  return {
    id: `sidecar~${address}~${name}.shop~${domain}`,
    kind: 'sidecar',
    address,
    pod: name,
    namespace: 'shop',
    domain,
  };
}

export const front0 = sidecar('front-0', '10.0.0.1');
export const front1 = sidecar('front-1', '10.0.0.2');
export const NOTHING_HELD = { clusters: new Map<string, string>(), listeners: new Map<string, string>() };

/** A store whose saves finish when the test says so: what is published before is visible. */
export class HeldStore implements Store {
  readonly rows: Dependency[];
  readonly createdAt: number;
  release: (() => void)[] = [];
  isHolding = false;

  constructor(rows: Dependency[] = [], createdAt = 0) {
    this.rows = rows;
    this.createdAt = createdAt;
  }

  load() {
    return Promise.resolve({ dependencies: this.rows, createdAt: this.createdAt });
  }

  save(dependencies: readonly Dependency[]) {
    this.rows.push(...dependencies);
    if (!this.isHolding) return Promise.resolve();
    return new Promise<void>((resolve) => {
      this.release.push(resolve);
    });
  }

  close() {
    return Promise.resolve();
  }
}

export class Mesh {
  now = 100_000;
  readonly problems: Problem[] = [];
  readonly dirty: DirtyClients[] = [];
  readonly pipeline: Pipeline;
  readonly store: HeldStore;
  #wake: () => void = () => undefined;

  constructor(store = new HeldStore()) {
    this.store = store;
    this.pipeline = new Pipeline({
      store,
      snapshots: new SnapshotBuilder({
        encode: (_type, message) => Buffer.from(JSON.stringify(message)),
        hash: (bytes) => String(bytes.length),
        egress: [{ address: '10.0.9.9', port: 15080 }],
      }),
      defaultMode: 'Enforce',
      now: () => this.now,
      onProblem: (problem) => this.problems.push(problem),
    });
    this.pipeline.onDirty((dirty) => {
      this.dirty.push(dirty);
      this.#wake();
    });
  }

  nextDirty(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  tell(...objects: readonly MeshObject[]): void {
    this.pipeline.events(objects.map((object) => ({ type: 'Applied', object, at: this.now })));
  }

  async start(objects: readonly MeshObject[] = MESH): Promise<this> {
    const dirty = this.nextDirty();
    await this.pipeline.start();
    this.tell(...objects);
    this.pipeline.synced(this.now);
    await dirty;
    this.dirty.length = 0;
    return this;
  }

  clusters(node = front0): string[] | undefined {
    return this.pipeline.snapshot(node) && [...(this.pipeline.snapshot(node)?.[CLUSTER].keys() ?? [])];
  }

  /** front calls cart over HTTP. */
  call(options: Parameters<typeof entry>[2] = {}, source = '10.0.0.1'): void {
    this.pipeline.accessLogs(
      [entry(source, '10.96.0.1:80', { protocol: 'HTTP1', host: 'cart', startTime: this.now, ...options })],
      this.now,
    );
  }

  states(): string[] {
    return this.pipeline.reports.edges({}).map(({ to, state }) => `${to} ${state}`);
  }
}

export const CART_KEY = 'shop/cart.shop.svc.cluster.local';
