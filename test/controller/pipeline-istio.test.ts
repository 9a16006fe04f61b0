/** What the pipeline adds to Istio mode: entries become Sidecars, an operator's wish takes a service out again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeIdentity } from '../../controller/core/model.ts';
import type { PublishableWrite } from '../../controller/core/publishing.ts';
import { SnapshotBuilder } from '../../controller/core/snapshot/snapshot.ts';
import { Pipeline } from '../../controller/pipeline.ts';
import { reduce } from '../../controller/wire/kubernetes/reduce.ts';
import { entry, service } from '../support/mesh-objects.ts';
import { EGRESS_ADDRESS, FRONT, front, INSTALLED, keyOf, SETTINGS } from './core/istio/istio-world.ts';
import { HeldStore, NOTHING_HELD } from './pipeline-mesh.ts';

const CART = keyOf('cart');
const egress: NodeIdentity = {
  id: `egress~${EGRESS_ADDRESS}~egress-0.lazyscope~cluster.local`,
  kind: 'egress',
  address: EGRESS_ADDRESS,
  pod: 'egress-0',
  namespace: 'lazyscope',
  domain: 'cluster.local',
};

class IstioPipeline {
  now = 1_000_000;
  readonly pipeline: Pipeline;

  constructor() {
    this.pipeline = new Pipeline({
      store: new HeldStore([], -1e9),
      snapshots: new SnapshotBuilder({ encode: () => Buffer.of(), hash: () => '', egress: [] }),
      defaultMode: 'Observe',
      now: () => this.now,
      onProblem: () => undefined,
      istio: SETTINGS,
    });
  }

  async start(): Promise<this> {
    await this.pipeline.start();
    const cart = service('cart', { 80: 'HTTP' }, { clusterIP: '10.96.0.1' });
    const database = service('db', { 5432: 'TCP' }, { clusterIP: '10.96.0.2' });
    const objects = [...INSTALLED, front, cart, database];
    this.pipeline.events(objects.map((object) => ({ type: 'Applied', object, at: this.now })));
    this.pipeline.synced(this.now);
    this.pipeline.clientConnected(egress, 1, NOTHING_HELD, this.now);
    this.pass(60_000);
    return this;
  }

  /** Everything due within that time is written. */
  pass(ms: number): PublishableWrite[] {
    const { publishing } = this.pipeline;
    assert.ok(publishing);
    const writes: PublishableWrite[] = [];
    const end = this.now + ms;
    for (; publishing.nextWriteAt <= end; this.now = Math.max(this.now, publishing.nextWriteAt)) {
      if (publishing.nextWriteAt > this.now) continue;
      const due = publishing.dueWrites(this.now);
      for (const write of due) {
        publishing.written(write, this.now);
        this.#tell(write);
      }
      writes.push(...due);
    }
    this.now = end;
    return writes;
  }

  /** The watch tells what was written. */
  #tell({ write }: PublishableWrite): void {
    const at = this.now;
    if (write.type === 'Delete') {
      const { namespace, name } = write.ref;
      this.pipeline.events([{ type: 'Deleted', ref: { kind: 'Sidecar', namespace, name }, at }]);
      return;
    }
    const { objects } = reduce(write.manifest, { clusterDomain: 'cluster.local', undeclared: 'Auto' });
    this.pipeline.events(objects.map((object) => ({ type: 'Applied', object, at })));
  }

  /** front calls cart or db, and that is saved. */
  async call(destination: string): Promise<void> {
    const http = destination.endsWith(':80') ? ({ protocol: 'HTTP1', host: 'cart' } as const) : {};
    this.pipeline.accessLogs([entry('10.0.0.1', destination, { startTime: this.now, ...http })], this.now);
    for (let turns = 0; turns < 10; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  states(): string[] {
    return this.pipeline.reports.edges({}).map(({ to, state }) => `${to} ${state}`);
  }
}

describe('a service that front has used', () => {
  it('is warming, active, and when it is forgotten cooling and expired', async () => {
    const mesh = await new IstioPipeline().start();
    await mesh.call('10.96.0.1:80');
    assert.deepEqual(mesh.states(), [`${CART} warming`]);
    mesh.pass(20_000);
    assert.deepEqual(mesh.states(), [`${CART} active`]);
    assert.equal(mesh.pipeline.forget(FRONT, CART), 1);
    assert.deepEqual(mesh.states(), [`${CART} cooling`]);
    mesh.pass(20_000);
    assert.deepEqual(mesh.states(), [`${CART} expired`]);
    await mesh.call('10.96.0.1:80');
    mesh.pass(60_000);
    assert.deepEqual(mesh.states(), [`${CART} active`]);
    await mesh.pipeline.stop();
  });

  it('is not forgotten twice, nor where it was never used', async () => {
    const mesh = await new IstioPipeline().start();
    const message = `${CART} is not in the scope of ${FRONT}.`;
    assert.throws(() => mesh.pipeline.forget(FRONT, CART), { code: 'NotFound', message });
    await mesh.call('10.96.0.1:80');
    mesh.pipeline.forget(FRONT, CART);
    assert.throws(() => mesh.pipeline.forget(FRONT, CART), { code: 'NotFound', message });
    await mesh.pipeline.stop();
  });

  it('is not forgotten where its connections would be cut', async () => {
    const mesh = await new IstioPipeline().start();
    await mesh.call('10.96.0.2:5432');
    mesh.pass(20_000);
    assert.throws(() => mesh.pipeline.forget(FRONT, keyOf('db')), { code: 'InvalidConfiguration', message: /5432/ });
    assert.deepEqual(mesh.states(), [`${keyOf('db')} active`]);
    await mesh.pipeline.stop();
  });
});

describe('an egress that refuses callers', () => {
  it('changes nothing while they are no lazy pods', async () => {
    const mesh = await new IstioPipeline().start();
    mesh.pipeline.egressRefused(
      egress.id,
      new Map([
        ['10.0.0.99', 3_000],
        ['', 3_000],
      ]),
      mesh.now,
    );
    assert.deepEqual(mesh.pass(60_000), []);
    mesh.pipeline.egressRefused(egress.id, new Map([['10.0.0.1', 299]]), mesh.now);
    assert.deepEqual(mesh.pass(60_000), []);
    await mesh.pipeline.stop();
  });

  it('takes everybody back to eager', async () => {
    const mesh = await new IstioPipeline().start();
    mesh.pipeline.egressRefused(egress.id, new Map([['10.0.0.1', 300]]), mesh.now);
    const writes = mesh.pass(60_000).map(({ write }) => write.type);
    assert.deepEqual(writes, ['Apply', 'Delete']);
    await mesh.pipeline.stop();
  });
});
