import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod, PodController } from '../../../../controller/core/model.ts';
import { WorkloadIndex } from '../../../../controller/core/registry/workload-index.ts';
import { pod } from '../../../support/mesh-objects.ts';

const index = (): WorkloadIndex => new WorkloadIndex('Enforce');

function without<K extends keyof Pod>(value: Pod, key: K): Omit<Pod, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}

describe('the workload of a pod', () => {
  const cases: {
    readonly name: string;
    readonly pod: Pod;
    readonly controllers: PodController[];
    readonly is: string;
  }[] = [
    {
      name: 'is the pod itself without an owner',
      pod: without(pod('a-0', '10.0.0.1'), 'owner'),
      controllers: [],
      is: 'shop/Pod/a-0',
    },
    {
      name: 'is a StatefulSet as it stands',
      pod: pod('db-0', '10.0.0.1', { owner: { kind: 'StatefulSet', name: 'db' } }),
      controllers: [],
      is: 'shop/StatefulSet/db',
    },
    {
      name: 'is the Deployment behind a known ReplicaSet',
      pod: pod('a-0', '10.0.0.1'),
      controllers: [{ kind: 'ReplicaSet', namespace: 'shop', name: 'a-5d4f', owner: { kind: 'Rollout', name: 'a' } }],
      is: 'shop/Rollout/a',
    },
    {
      name: 'is the Deployment that the hash names where the ReplicaSet is unknown',
      pod: pod('a-0', '10.0.0.1'),
      controllers: [],
      is: 'shop/Deployment/a',
    },
    {
      name: 'is a ReplicaSet without owner itself',
      pod: { ...pod('a-0', '10.0.0.1'), labels: {} },
      controllers: [],
      is: 'shop/ReplicaSet/a-5d4f',
    },
    {
      name: 'is the CronJob behind a Job',
      pod: pod('n-1', '10.0.0.1', { owner: { kind: 'Job', name: 'n-1' } }),
      controllers: [{ kind: 'Job', namespace: 'shop', name: 'n-1', owner: { kind: 'CronJob', name: 'n' } }],
      is: 'shop/CronJob/n',
    },
    {
      name: 'is the CronJob that the name of an unknown Job tells',
      pod: pod('n-1', '10.0.0.1', { owner: { kind: 'Job', name: 'nightly-29381760' } }),
      controllers: [],
      is: 'shop/CronJob/nightly',
    },
    {
      name: 'is a Job of such a name itself where it is known to have no owner',
      pod: pod('n-1', '10.0.0.1', { owner: { kind: 'Job', name: 'nightly-29381760' } }),
      controllers: [{ kind: 'Job', namespace: 'shop', name: 'nightly-29381760' }],
      is: 'shop/Job/nightly-29381760',
    },
  ];
  for (const { name, pod: value, controllers, is } of cases) {
    it(name, () => {
      const workloads = index();
      for (const controller of controllers) workloads.applyController(controller, 0);
      assert.equal(workloads.workloadOf(value), is);
    });
  }

  it('is what owns the pod, whatever owns that in turn', () => {
    const workloads = index();
    const owner = { kind: 'Kafka', name: 'events' };
    workloads.applyController({ kind: 'StatefulSet', namespace: 'shop', name: 'db', owner }, 0);
    const ofSet = pod('db-0', '10.0.0.1', { owner: { kind: 'StatefulSet', name: 'db' } });
    assert.equal(workloads.workloadOf(ofSet), 'shop/StatefulSet/db');
  });

  it('is corrected when the ReplicaSet is told after the pod', () => {
    const workloads = index();
    workloads.applyPod(pod('a-0', '10.0.0.1'), 0);
    const told = workloads.applyController(
      { kind: 'ReplicaSet', namespace: 'shop', name: 'a-5d4f', owner: { kind: 'Rollout', name: 'a' } },
      1,
    );
    assert.deepEqual(
      told.map(({ name }) => name),
      ['a-0'],
    );
    assert.equal(workloads.ownerAt('10.0.0.1', 5)?.workload, 'shop/Rollout/a');
  });

  it('stays the same when its Job is deleted first, for as long as the Job has pods', () => {
    const workloads = index();
    const running = pod('n-1', '10.0.0.1', { owner: { kind: 'Job', name: 'n-1' } });
    workloads.applyController(
      { kind: 'Job', namespace: 'shop', name: 'n-1', owner: { kind: 'CronJob', name: 'n' } },
      0,
    );
    workloads.applyPod(running, 0);
    workloads.deleteController('Job', 'shop', 'n-1');
    assert.equal(workloads.workloadOf(running), 'shop/CronJob/n');
    workloads.applyPod({ ...running, finished: true }, 1);
    assert.equal(workloads.workloadOf(running), 'shop/CronJob/n');
    workloads.deletePod('shop', 'n-1', 2);
    assert.equal(workloads.workloadOf(running), 'shop/Job/n-1', 'nothing is kept of it after its last pod');
  });
});

describe('the addresses of a pod', () => {
  it("are nobody's for a host-network pod", () => {
    const workloads = index();
    workloads.applyPod(pod('a-0', '10.0.0.1', { hostNetwork: true }), 0);
    assert.equal(workloads.ownerAt('10.0.0.1', 5), undefined);
  });

  it('are given back when the pod finishes', () => {
    const workloads = index();
    workloads.applyPod(pod('a-0', '10.0.0.1'), 0);
    workloads.applyPod(pod('a-0', '10.0.0.1', { finished: true }), 100);
    assert.equal(workloads.ownerAt('10.0.0.1', 99)?.pod.name, 'a-0');
    assert.equal(workloads.ownerAt('10.0.0.1', 100), undefined);
  });

  it('are given back when the pod is deleted', () => {
    const workloads = index();
    workloads.applyPod(pod('a-0', '10.0.0.1'), 0);
    workloads.deletePod('shop', 'a-0', 100);
    assert.equal(workloads.ownerAt('10.0.0.1', 100), undefined);
    assert.equal(workloads.addresses.has('10.0.0.1'), false);
  });
});

describe('the mode of a pod', () => {
  it('is the most specific annotation, else the default', () => {
    const workloads = index();
    const plain = pod('a-0', '10.0.0.1');
    assert.deepEqual(workloads.modeOf(plain), { mode: 'Enforce', source: 'default' });
    workloads.applyNamespace({ kind: 'Namespace', namespace: '', name: 'shop', mode: 'Off' });
    assert.deepEqual(workloads.modeOf(plain), { mode: 'Off', source: 'annotation on Namespace shop' });
    workloads.applyController({ kind: 'Deployment', namespace: 'shop', name: 'a', mode: 'Observe' }, 0);
    assert.deepEqual(workloads.modeOf(plain), { mode: 'Observe', source: 'annotation on Deployment shop/a' });
    const annotated = pod('a-0', '10.0.0.1', { mode: 'Enforce' });
    assert.deepEqual(workloads.modeOf(annotated), { mode: 'Enforce', source: 'annotation on Pod shop/a-0' });
  });

  for (const kind of ['StatefulSet', 'DaemonSet', 'Job', 'ReplicaSet'] as const) {
    it(`is that of the ${kind} that is its workload`, () => {
      const workloads = index();
      workloads.applyController({ kind, namespace: 'shop', name: 'a', mode: 'Off' }, 0);
      const owned = pod('a-0', '10.0.0.1', { owner: { kind, name: 'a' } });
      assert.deepEqual(workloads.modeOf(owned), { mode: 'Off', source: `annotation on ${kind} shop/a` });
    });
  }

  it('is not that of a Job between the pod and its CronJob', () => {
    const workloads = index();
    const owner = { kind: 'CronJob', name: 'n' };
    workloads.applyController({ kind: 'Job', namespace: 'shop', name: 'n-1', owner, mode: 'Off' }, 0);
    const owned = pod('n-1', '10.0.0.1', { owner: { kind: 'Job', name: 'n-1' } });
    assert.equal(workloads.modeOf(owned).source, 'default');
    workloads.applyController({ kind: 'CronJob', namespace: 'shop', name: 'n', mode: 'Observe' }, 0);
    assert.deepEqual(workloads.modeOf(owned), { mode: 'Observe', source: 'annotation on CronJob shop/n' });
  });
});

describe('the pods of a workload', () => {
  const names = (pods: Iterable<Pod>): string[] => [...pods].map(({ name }) => name);

  it('are found by workload and by namespace, until they are gone', () => {
    const workloads = index();
    workloads.applyPod(pod('a-0', '10.0.0.1'), 0);
    workloads.applyPod(pod('a-1', '10.0.0.2'), 0);
    workloads.applyPod(pod('b-0', '10.0.0.3', { namespace: 'bank' }), 0);
    assert.deepEqual([...workloads.workloads()], ['shop/Deployment/a', 'bank/Deployment/b']);
    assert.deepEqual(names(workloads.podsOf('shop/Deployment/a')), ['a-0', 'a-1']);
    assert.deepEqual(names(workloads.podsIn('shop')), ['a-0', 'a-1']);
    workloads.deletePod('shop', 'a-0', 1);
    workloads.deletePod('bank', 'b-0', 1);
    assert.deepEqual([...workloads.workloads()], ['shop/Deployment/a']);
    assert.deepEqual([names(workloads.podsOf('shop/Deployment/a')), names(workloads.podsIn('bank'))], [['a-1'], []]);
  });

  it('are as they were told last', () => {
    const workloads = index();
    workloads.applyPod(pod('a-0', '10.0.0.1'), 0);
    workloads.applyPod(pod('a-0', '10.0.0.1', { finished: true }), 1);
    assert.deepEqual(
      [...workloads.podsOf('shop/Deployment/a')].map(({ finished }) => finished),
      [true],
    );
  });

  it('move with a ReplicaSet that is told late', () => {
    const workloads = index();
    workloads.applyPod(pod('a-0', '10.0.0.1'), 0);
    const owner = { kind: 'Rollout', name: 'a' };
    workloads.applyController({ kind: 'ReplicaSet', namespace: 'shop', name: 'a-5d4f', owner }, 1);
    assert.deepEqual(names(workloads.podsOf('shop/Deployment/a')), []);
    assert.deepEqual(names(workloads.podsOf('shop/Rollout/a')), ['a-0']);
    assert.equal(workloads.workloadNamed('shop', 'a-0'), 'shop/Rollout/a');
  });
});

it('tells whether the object behind a workload exists', () => {
  const workloads = index();
  workloads.applyPod(pod('a-0', '10.0.0.1', { owner: { kind: 'StatefulSet', name: 'a' } }), 0);
  const set = { kind: 'StatefulSet', namespace: 'shop', name: 'a' } as const;
  assert.equal(workloads.isTold('shop/StatefulSet/a'), false);
  workloads.applyController(set, 0);
  assert.equal(workloads.isTold('shop/StatefulSet/a'), true);
  workloads.deleteController('StatefulSet', 'shop', 'a');
  assert.equal(workloads.isTold('shop/StatefulSet/a'), false, 'also while it has pods');
  assert.deepEqual([workloads.isTold('shop/Pod/a-0'), workloads.isTold('shop/Pod/a-1')], [true, false]);
});

it('knows node addresses as long as their node exists', () => {
  const workloads = index();
  workloads.applyNode({ kind: 'Node', namespace: '', name: 'n1', addresses: ['192.168.0.7'] });
  assert.equal(workloads.isNodeAddress('192.168.0.7'), true);
  workloads.deleteNode('n1');
  assert.equal(workloads.isNodeAddress('192.168.0.7'), false);
});
