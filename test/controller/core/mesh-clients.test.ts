import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type MeshClient, MeshClients } from '../../../controller/core/mesh-clients.ts';
import type { DirtyClients } from '../../../controller/core/ports.ts';

const [FRONT, CART] = ['shop/Deployment/front', 'shop/Deployment/cart'];

function client(stream: number, kind: 'sidecar' | 'egress' = 'sidecar'): MeshClient {
  const node = { id: '', kind, address: '10.0.0.1', pod: `pod-${stream}`, namespace: 'shop', domain: '' };
  return { node, stream, held: undefined, warmed: new Set(), workload: undefined };
}

let clients: MeshClients;

function concerned(dirty: Partial<DirtyClients>): number[] {
  const all = clients.concernedBy({ all: false, egress: false, workloads: new Set(), ...dirty });
  return [...all].map(({ stream }) => stream).sort();
}

function connect(stream: number, workload: string, isEager = false): MeshClient {
  const connected = client(stream);
  clients.connect(connected);
  clients.identify(connected, workload, isEager);
  return connected;
}

beforeEach(() => {
  clients = new MeshClients();
});

describe('a change concerns', () => {
  it('all sidecars of its workloads, and no others', () => {
    connect(1, FRONT);
    connect(2, CART);
    connect(3, FRONT);
    clients.connect(client(4));
    assert.deepEqual(concerned({ workloads: new Set([FRONT]) }), [1, 3]);
    assert.deepEqual(concerned({ workloads: new Set(['shop/Deployment/other']) }), []);
    assert.deepEqual(concerned({ all: true }), [1, 2, 3, 4]);
  });

  it('egresses, where it says so', () => {
    connect(1, FRONT);
    clients.connect(client(2, 'egress'));
    assert.deepEqual(concerned({ egress: true }), [2]);
    assert.deepEqual(concerned({}), []);
    clients.disconnect(2);
    assert.deepEqual(concerned({ egress: true }), []);
  });

  it('a sidecar by the workload that it has now', () => {
    const moved = connect(1, FRONT);
    clients.identify(moved, CART, false);
    assert.deepEqual(concerned({ workloads: new Set([FRONT]) }), []);
    assert.deepEqual(concerned({ workloads: new Set([CART]) }), [1]);
    clients.identify(moved, undefined, false);
    assert.deepEqual(concerned({ workloads: new Set([CART]) }), []);
  });

  it('a stream once, also when it has told more of itself, and not when it is gone', () => {
    connect(1, FRONT);
    connect(1, FRONT);
    assert.deepEqual(concerned({ workloads: new Set([FRONT]) }), [1]);
    clients.disconnect(1);
    assert.deepEqual(concerned({ workloads: new Set([FRONT]) }), []);
    assert.deepEqual([...clients.ofWorkload(FRONT)], []);
  });
});

describe('the sidecars', () => {
  const numbers = (found: Iterable<MeshClient>): number[] => [...found].map(({ stream }) => stream);

  it('that hold everything are those that do now', () => {
    const eager = connect(1, FRONT, true);
    connect(2, CART);
    assert.deepEqual(numbers(clients.eager()), [1]);
    clients.identify(eager, FRONT, false);
    assert.deepEqual(numbers(clients.eager()), []);
    clients.identify(eager, FRONT, true);
    clients.disconnect(1);
    assert.deepEqual(numbers(clients.eager()), []);
  });

  it('of pods are found, whether anything is known of the pods or not', () => {
    const again = client(3);
    clients.connect(client(1));
    clients.connect({ ...again, node: { ...again.node, pod: 'pod-1' } });
    clients.connect(client(2));
    const pods = ['pod-1', 'pod-9'].map((name) => ({ namespace: 'shop', name }));
    assert.deepEqual(numbers(clients.ofPods(pods)), [1, 3]);
    assert.deepEqual(numbers(clients.ofPods([{ namespace: 'bank', name: 'pod-1' }])), []);
    clients.disconnect(1);
    assert.deepEqual(numbers(clients.ofPods(pods)), [3]);
  });
});
