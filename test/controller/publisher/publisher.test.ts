import assert from 'node:assert/strict';
import { describe, it, mock, type TestContext } from 'node:test';
import { LazyscopeError } from '../../../controller/core/error.ts';
import type {
  ArrivalProbe,
  Leadership,
  ManifestWrite,
  PublicationSource,
  PublishableWrite,
} from '../../../controller/core/publishing.ts';
import { Publisher } from '../../../controller/publisher/publisher.ts';

const STARTED_AT = 1_000_000;

/** One of a workload. */
function due(name: string): PublishableWrite {
  const workload = `shop/Deployment/${name}`;
  return { workload, write: { type: 'Delete', ref: { apiVersion: 'v1', kind: 'X', namespace: 'shop', name } } };
}

/** One of the whole mesh. */
function ofMesh(name: string): PublishableWrite {
  return { ...due(name), workload: undefined };
}

function nameOf(write: ManifestWrite): string {
  return write.type === 'Delete' ? write.ref.name : write.manifest.metadata.name;
}

/** A source whose writes are put in by hand, an API server that answers when told to, and a clock that is moved by hand. */
class World implements PublicationSource, Leadership {
  isLeader = true;
  /** Handed out when asked. */
  waiting: PublishableWrite[] = [];
  nextWriteAt = Number.POSITIVE_INFINITY;
  awaitsArrival = false;
  /** What happened: `write a`, `written a`, `failed a`, `arrived 0` (as of so many ms), `asked`. */
  readonly log: string[] = [];
  /** Names of writes that fail. */
  readonly failing = new Set<string>();
  /** Answers are held back while this is set. */
  held: (() => void)[] | undefined;
  underWay = 0;
  mostUnderWay = 0;
  probe: ArrivalProbe | undefined;
  readonly #onDue: (() => void)[] = [];
  readonly #onChange: ((isLeader: boolean) => void)[] = [];

  // --- PublicationSource

  dueWrites(now: number): readonly PublishableWrite[] {
    const handedOut = now >= this.nextWriteAt ? this.waiting.splice(0) : [];
    this.log.push('asked');
    this.nextWriteAt = Number.POSITIVE_INFINITY;
    return handedOut;
  }

  onDue(listener: () => void): void {
    this.#onDue.push(listener);
  }

  written({ write }: PublishableWrite): void {
    this.log.push(`written ${nameOf(write)}`);
  }

  failed({ write }: PublishableWrite, error: unknown): void {
    this.log.push(`failed ${nameOf(write)}${error === undefined ? ', not sent' : ''}`);
  }

  arrived(asOf: number): void {
    this.log.push(`arrived ${asOf - STARTED_AT}`);
  }

  // --- Leadership

  onChange(listener: (isLeader: boolean) => void): void {
    this.#onChange.push(listener);
  }

  start(): void {
    this.log.push('runs for leader');
  }

  stop(): Promise<void> {
    this.log.push('gives up the Lease');
    return Promise.resolve();
  }

  // --- what happens

  want(...writes: readonly PublishableWrite[]): void {
    this.waiting.push(...writes);
    this.nextWriteAt = Math.min(this.nextWriteAt, Date.now());
    for (const listener of this.#onDue) listener();
  }

  lead(isLeader: boolean): void {
    this.isLeader = isLeader;
    for (const listener of this.#onChange) listener(isLeader);
  }

  async write(change: ManifestWrite): Promise<void> {
    this.log.push(`write ${nameOf(change)}`);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    await (this.held ? new Promise<void>((resolve) => this.held?.push(resolve)) : undefined);
    this.underWay -= 1;
    if (this.failing.has(nameOf(change))) throw new LazyscopeError('Forbidden', 'no');
  }
}

/** Everything that can happen without time. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 10; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await quiet();
}

/** @param prepare what is so before the start */
async function started(t: TestContext, prepare: (world: World) => void = () => undefined) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: STARTED_AT });
  t.after(() => mock.timers.reset());
  const world = new World();
  prepare(world);
  const publisher = new Publisher({
    source: world,
    writer: { write: (change) => world.write(change), event: () => Promise.resolve() },
    leadership: world,
    ...(world.probe ? { probe: world.probe } : {}),
    onUnconfirmed: (error) => world.log.push(`unconfirmed: ${error instanceof Error ? error.message : error}`),
    now: Date.now,
  });
  publisher.start();
  await pass(0);
  return { world, publisher };
}

const count = (log: readonly string[], start: string): number => log.filter((line) => line.startsWith(start)).length;

describe('writes that are due', () => {
  it('are one burst, objects of the mesh first, one after the other and in order', async (t) => {
    const { world } = await started(t);
    world.want(due('a'), ofMesh('decoy'), ofMesh('placeholder'));
    await pass(0);
    assert.deepEqual(world.log.slice(1), [
      'asked',
      'write decoy',
      'written decoy',
      'write placeholder',
      'written placeholder',
      'write a',
      'written a',
    ]);
  });

  it('do not follow an object of the mesh that could not be written; those of workloads do', async (t) => {
    const { world } = await started(t);
    world.failing.add('decoy');
    world.want(ofMesh('decoy'), ofMesh('placeholder'), due('a'));
    await pass(0);
    assert.deepEqual(world.log.slice(2), [
      'write decoy',
      'failed decoy',
      'failed placeholder, not sent',
      'write a',
      'written a',
    ]);
  });

  it('are under way eight at a time', async (t) => {
    const { world } = await started(t);
    world.held = [];
    world.want(...Array.from({ length: 20 }, (_, index) => due(`w${index}`)));
    await pass(0);
    assert.equal(world.underWay, 8);
    for (let answered = 0; answered < 20; answered += 1) {
      world.held.shift()?.();
      await quiet();
    }
    assert.deepEqual([count(world.log, 'written'), world.mostUnderWay], [20, 8]);
  });

  it('that fail are told, and stop no other', async (t) => {
    const { world, publisher } = await started(t);
    world.failing.add('a');
    world.want(due('a'), due('b'));
    await pass(0);
    assert.deepEqual([count(world.log, 'failed a'), count(world.log, 'written b')], [1, 1]);
    assert.deepEqual([publisher.counts.bursts, publisher.counts.written, publisher.counts.failed], [1, 1, 1]);
  });
});

describe('between two bursts', () => {
  it('there is a second of quiet after the end of the first', async (t) => {
    const { world } = await started(t);
    world.held = [];
    world.want(due('a'));
    await pass(0);
    world.want(due('b'));
    await pass(5_000);
    assert.equal(count(world.log, 'write b'), 0);
    world.held.shift()?.();
    world.held = undefined;
    await quiet();
    await pass(999);
    assert.equal(count(world.log, 'write b'), 0);
    await pass(1);
    assert.deepEqual([count(world.log, 'written a'), count(world.log, 'written b')], [1, 1]);
  });

  it('nothing is asked while nothing will be due', async (t) => {
    const { world } = await started(t);
    await pass(24 * 3_600_000);
    assert.equal(count(world.log, 'asked'), 0);
    world.want(due('a'));
    await pass(0);
    assert.equal(count(world.log, 'write a'), 1);
  });
});

describe('who does not lead', () => {
  it('asks and writes nothing, until it leads', async (t) => {
    const { world } = await started(t, (before) => {
      before.isLeader = false;
    });
    world.want(due('a'));
    await pass(60_000);
    assert.deepEqual(world.log, ['runs for leader']);
    world.lead(true);
    await pass(0);
    assert.equal(count(world.log, 'written a'), 1);
  });

  it('does not begin what was due when it led', async (t) => {
    const { world } = await started(t);
    world.want(due('a'));
    world.lead(false);
    await pass(60_000);
    assert.deepEqual(world.log, ['runs for leader']);
  });

  it('does not send what is left of a burst', async (t) => {
    const { world } = await started(t);
    world.held = [];
    world.want(...Array.from({ length: 10 }, (_, index) => due(`w${index}`)));
    await pass(0);
    world.isLeader = false;
    for (const answer of world.held.splice(0)) answer();
    await quiet();
    assert.deepEqual([count(world.log, 'write w'), count(world.log, 'written'), count(world.log, 'failed')], [8, 8, 2]);
    assert.ok(world.log.filter((line) => line.startsWith('failed')).every((line) => line.endsWith(', not sent')));
  });
});

describe('a probe', () => {
  const probe = (confirm: () => Promise<void>) => (world: World) => {
    world.probe = { start: () => Promise.resolve(), stop: () => Promise.resolve(), confirm };
  };

  it('is asked after each burst, and tells its arrival', async (t) => {
    const confirms: (() => void)[] = [];
    const { world, publisher } = await started(
      t,
      probe(() => new Promise((resolve) => confirms.push(resolve))),
    );
    world.want(due('a'));
    await pass(0);
    assert.deepEqual([confirms.length, count(world.log, 'arrived')], [1, 0]);
    world.want(due('b'));
    await pass(1_000);
    for (const confirm of confirms) confirm();
    await quiet();
    assert.deepEqual(world.log.slice(-2), ['arrived 0', 'arrived 1000']);
    assert.deepEqual(publisher.counts.confirmations, { told: 2, failed: 0 });
  });

  it('that cannot tell is asked again every 5 s, as long as somebody waits', async (t) => {
    const { world, publisher } = await started(
      t,
      probe(() => Promise.reject(new LazyscopeError('Unavailable', 'no istiod'))),
    );
    world.awaitsArrival = true;
    world.want(due('a'));
    await pass(0);
    for (let asked = 1; asked < 4; asked += 1) await pass(5_000);
    assert.deepEqual([count(world.log, 'arrived'), count(world.log, 'unconfirmed: no istiod')], [0, 4]);
    assert.deepEqual(publisher.counts.confirmations, { told: 0, failed: 4 });
    world.awaitsArrival = false;
    await pass(60_000);
    assert.equal(publisher.counts.confirmations.failed, 4);
  });

  it('is asked for what was written before this process led', async (t) => {
    const { world } = await started(
      t,
      probe(() => Promise.resolve()),
    );
    world.awaitsArrival = true;
    world.want();
    await pass(0);
    assert.deepEqual(world.log.slice(-2), ['asked', 'arrived 0']);
  });
});

describe('stopping', () => {
  it('lets the burst end, then gives up the Lease, and writes nothing more', async (t) => {
    const { world, publisher } = await started(t);
    world.held = [];
    world.want(due('a'));
    await pass(0);
    const stopped = publisher.stop();
    await quiet();
    assert.equal(world.log.includes('gives up the Lease'), false);
    for (const answer of world.held.splice(0)) answer();
    await stopped;
    assert.deepEqual(world.log.slice(-2), ['written a', 'gives up the Lease']);
    world.want(due('b'));
    await pass(60_000);
    assert.equal(count(world.log, 'write b'), 0);
  });
});
