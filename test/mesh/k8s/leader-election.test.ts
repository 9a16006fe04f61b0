/** Leadership by a Lease of a real API server. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { connectCluster } from '../../../controller/k8s/cluster.ts';
import { LeaderElection, type LeaderElectionOptions } from '../../../controller/k8s/leader-election.ts';
import { eventually } from '../../support/eventually.ts';
import type { StoredObject } from '../bed/kubernetes-client.ts';
import { ApiBed } from './api-bed.ts';
import { grant } from './service-account.ts';
import { TcpProxy } from './tcp-proxy.ts';

const NAMESPACE = 'lazyscope';
const TIMINGS = { leaseDuration: 3_000, renewDeadline: 1_500, retryPeriod: 300 };

interface StoredLease extends StoredObject {
  readonly spec: {
    readonly holderIdentity: string;
    readonly leaseDurationSeconds: number;
    readonly leaseTransitions: number;
    readonly acquireTime: string;
    readonly renewTime: string;
  };
}

let api: ApiBed;

before(async () => {
  api = await ApiBed.start();
  await api.namespace(NAMESPACE);
});
after(() => api.destroy());

interface Candidate {
  readonly election: LeaderElection;
  /** What it called back, with the time of a monotonic clock. */
  readonly changes: { readonly isLeader: boolean; readonly at: number }[];
}

type CandidateOptions = Pick<LeaderElectionOptions, 'name' | 'identity'> &
  Partial<LeaderElectionOptions> & { readonly kubeconfig?: string };

/** Not started; stopped when the test ends. */
async function candidate(t: TestContext, { kubeconfig, ...options }: CandidateOptions): Promise<Candidate> {
  const cluster = await connectCluster({ kubeconfig: kubeconfig ?? api.kubeconfig() });
  const election = new LeaderElection({ cluster, namespace: NAMESPACE, timings: TIMINGS, ...options });
  t.after(() => election.stop());
  const changes: Candidate['changes'] = [];
  election.onChange((isLeader) => changes.push({ isLeader, at: performance.now() }));
  return { election, changes };
}

const reference = (name: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: NAMESPACE },
});

async function stored(name: string): Promise<StoredLease['spec']> {
  return (await api.client.get<StoredLease>(reference(name))).spec;
}

/** Waits until the Lease was renewed so often. */
async function untilRenewed(name: string, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    const { renewTime } = await stored(name);
    await eventually('the Lease is renewed', async () => (await stored(name)).renewTime !== renewTime);
  }
}

async function untilLeader({ election }: Candidate): Promise<void> {
  await eventually('it leads', () => election.isLeader);
}

test('the first makes the Lease and renews it, the second waits; given up, it is taken without delay', async (t) => {
  const first = await candidate(t, { name: 'handed-over', identity: 'first' });
  const second = await candidate(t, { name: 'handed-over', identity: 'second' });
  first.election.start();
  await untilLeader(first);
  second.election.start();
  await eventually('the second has seen the first', () => second.election.checks()[0]?.detail === 'first writes');
  const { acquireTime } = await stored('handed-over');
  await untilRenewed('handed-over', TIMINGS.leaseDuration / TIMINGS.retryPeriod + 2);
  assert.deepEqual([first.election.isLeader, second.election.isLeader], [true, false]);
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, ...more } = await stored('handed-over');
  assert.deepEqual([holderIdentity, leaseDurationSeconds, leaseTransitions], ['first', 3, 0]);
  assert.equal(more.acquireTime, acquireTime);
  const stoppedAt = performance.now();
  await first.election.stop();
  await untilLeader(second);
  const [gained] = second.changes;
  assert.ok(gained && gained.at - stoppedAt < TIMINGS.leaseDuration / 2);
  assert.deepEqual(
    first.changes.map(({ isLeader }) => isLeader),
    [true, false],
  );
  assert.equal((await stored('handed-over')).leaseTransitions, 1);
});

test('a Lease that is given up names nobody and is short', async (t) => {
  const only = await candidate(t, { name: 'given-up', identity: 'only' });
  only.election.start();
  await untilLeader(only);
  await only.election.stop();
  const { holderIdentity, leaseDurationSeconds } = await stored('given-up');
  assert.deepEqual([holderIdentity, leaseDurationSeconds], ['', 1]);
});

test('a holder that dies keeps the Lease for its duration, and no longer', async (t) => {
  const proxy = await TcpProxy.start(api, t);
  const kubeconfig = api.kubeconfig({ server: proxy.url });
  const holder = await candidate(t, { name: 'dead-holder', identity: 'holder', kubeconfig });
  const heir = await candidate(t, { name: 'dead-holder', identity: 'heir' });
  holder.election.start();
  await untilLeader(holder);
  heir.election.start();
  await eventually('the heir has seen it', () => heir.election.checks()[0]?.detail === 'holder writes');
  const cutAt = performance.now();
  proxy.refuse();
  await untilLeader(heir);
  const [gained] = heir.changes;
  const lost = holder.changes.at(-1);
  assert.ok(gained && lost && !lost.isLeader);
  assert.ok(lost.at < gained.at, 'never two leaders');
  assert.ok(lost.at - cutAt <= TIMINGS.renewDeadline + 200, 'it stopped at its deadline');
  assert.ok(gained.at - cutAt > TIMINGS.leaseDuration - 2 * TIMINGS.retryPeriod, 'it was not taken too early');
  proxy.accept();
  await eventually('the former holder sees the heir', () => holder.election.checks()[0]?.detail === 'heir writes');
  assert.equal(holder.election.isLeader, false);
});

test('a leader leads on after an outage that is shorter than its deadline, without telling anything', async (t) => {
  const proxy = await TcpProxy.start(api, t);
  const kubeconfig = api.kubeconfig({ server: proxy.url });
  const holder = await candidate(t, { name: 'short-outage', identity: 'holder', kubeconfig });
  holder.election.start();
  await untilLeader(holder);
  proxy.refuse();
  await eventually('it is missed', () => holder.election.checks()[0]?.degraded === true);
  proxy.accept();
  await eventually('it is back', () => holder.election.checks()[0]?.ok === true);
  assert.deepEqual([holder.election.isLeader, holder.changes.length], [true, 1]);
});

test('a leader is none when the API server is away for its deadline, and again when it is back', async (t) => {
  const holder = await candidate(t, { name: 'long-outage', identity: 'holder' });
  holder.election.start();
  await untilLeader(holder);
  await api.apiServer.stop('SIGKILL');
  await eventually('it does not lead', () => !holder.election.isLeader);
  await eventually('that was told', () => holder.changes.length === 2);
  await api.apiServer.start();
  await untilLeader(holder);
  assert.equal((await stored('long-outage')).leaseTransitions, 0);
});

test('clocks that jump, and such that are wrong by a day, change nothing', async (t) => {
  let jump = 0;
  const now = (): number => Date.now() + jump;
  const holder = await candidate(t, { name: 'jumping', identity: 'holder', now });
  const late = await candidate(t, { name: 'jumping', identity: 'late', now: () => Date.now() + 86_400_000 });
  holder.election.start();
  await untilLeader(holder);
  late.election.start();
  for (const hours of [2, -2, 48]) {
    jump = hours * 3_600_000;
    const before = (await stored('jumping')).leaseTransitions;
    await untilRenewed('jumping', 3);
    assert.equal((await stored('jumping')).leaseTransitions, before);
  }
  assert.deepEqual([holder.changes.length, late.changes.length], [1, 0]);
});

test("others' labels on the Lease stay, and a touched Lease is renewed", async (t) => {
  const holder = await candidate(t, { name: 'touched', identity: 'holder' });
  holder.election.start();
  await untilLeader(holder);
  const labels = { team: 'mesh' };
  await api.client.apply({ ...reference('touched'), metadata: { ...reference('touched').metadata, labels } });
  await untilRenewed('touched', TIMINGS.renewDeadline / TIMINGS.retryPeriod + 1);
  const { metadata } = await api.client.get(reference('touched'));
  assert.deepEqual(metadata['labels'], labels);
  assert.deepEqual([holder.election.isLeader, holder.changes.length], [true, 1]);
});

test('who may not touch Leases never leads, and says which right is missing', async (t) => {
  const token = await grant(api, 'no-leases', []);
  const { election } = await candidate(t, { name: 'x', identity: 'x', kubeconfig: api.kubeconfig({ token }) });
  election.start();
  await eventually('it is named', () => election.checks()[0]?.degraded === true);
  assert.match(
    election.checks()[0]?.detail ?? '',
    /^may not get leases\.coordination\.k8s\.io lazyscope\/x: grant verb "get" on "leases\.coordination\.k8s\.io"/,
  );
  assert.equal(election.isLeader, false);
});
