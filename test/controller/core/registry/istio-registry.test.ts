import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeshObject, ObjectRef } from '../../../../controller/core/mesh-object.ts';
import type { ServiceEntry } from '../../../../controller/core/mesh-policy.ts';
import type { PortProtocol } from '../../../../controller/core/model.ts';
import { type Dialect, Registry, type RegistryChanges } from '../../../../controller/core/registry/registry.ts';
import { pod, service, slice } from '../../../support/mesh-objects.ts';
import { serviceEntry, sidecar, virtualService } from '../../../support/policy-objects.ts';

function registryWith(objects: readonly MeshObject[], dialect: Dialect = 'istio'): Registry {
  const registry = new Registry({ defaultMode: 'Observe', dialect });
  registry.apply(objects.map((object) => ({ type: 'Applied', object, at: 0 })));
  return registry;
}

function apply(registry: Registry, ...objects: readonly MeshObject[]): RegistryChanges {
  return registry.apply(objects.map((object) => ({ type: 'Applied', object, at: 1 })));
}

function remove(registry: Registry, { kind, namespace, name }: ObjectRef): RegistryChanges {
  return registry.apply([{ type: 'Deleted', ref: { kind, namespace, name }, at: 1 }]);
}

const cart = service('cart', { 8080: 'HTTP' }, { clusterIP: '10.96.0.1' });
const CART_HOST = 'cart.shop.svc.cluster.local';

describe('hosts of the mesh', () => {
  it('are those of ServiceEntries, with ports and addresses', () => {
    const registry = registryWith([serviceEntry('x.com', { 443: 'TLS' }, { addresses: ['10.0.0.0/8'] })]);
    assert.deepEqual(
      [...registry.meshHosts.values()],
      [
        {
          key: 'shop/x.com',
          namespace: 'shop',
          host: 'x.com',
          origin: 'ServiceEntry',
          addresses: ['10.0.0.0/8'],
          allocated: [],
          ports: [{ name: 'p443', port: 443, protocol: 'TLS' }],
        },
      ],
    );
    assert.deepEqual([registry.hasPort('shop/x.com', 443), registry.hasPort('shop/x.com', 80)], [true, false]);
  });

  it('are one where several ServiceEntries of a namespace name it', () => {
    const registry = registryWith([
      serviceEntry('x.com', { 80: 'HTTP', 443: 'TLS' }, { name: 'a', addresses: ['10.0.0.1'] }),
      serviceEntry('x.com', { 443: 'TCP', 9000: 'TCP' }, { name: 'b', addresses: ['10.0.0.2', '10.0.0.1'] }),
    ]);
    const host = registry.meshHosts.get('shop/x.com');
    assert.deepEqual(host?.addresses, ['10.0.0.1', '10.0.0.2']);
    assert.deepEqual(
      host?.ports.map(({ port, protocol }) => [port, protocol]),
      [
        [80, 'HTTP'],
        [443, 'TLS'],
        [9000, 'TCP'],
      ],
    );
    remove(registry, { kind: 'ServiceEntry', namespace: 'shop', name: 'a' });
    assert.deepEqual(registry.meshHosts.get('shop/x.com')?.addresses, ['10.0.0.2', '10.0.0.1']);
    assert.equal(registry.meshHostsByAddress('10.0.0.1', 'shop').length, 1);
    remove(registry, { kind: 'ServiceEntry', namespace: 'shop', name: 'b' });
    assert.deepEqual([registry.meshHosts.size, registry.meshHostsByAddress('10.0.0.1', 'shop')], [0, []]);
  });

  const promotions: readonly (readonly [Readonly<Record<number, PortProtocol>>, readonly string[], boolean])[] = [
    [{ 80: 'HTTP', 443: 'TLS', 9090: 'GRPC' }, [], true],
    [{ 80: 'HTTP', 9000: 'TCP' }, [], false],
    [{ 9000: 'Auto' }, [], false],
    [{ 9000: 'TCP' }, ['10.0.0.1'], true],
    [{ 9000: 'TCP' }, ['10.0.0.0/24'], true],
  ];
  for (const [ports, addresses, promotable] of promotions) {
    const name = `${Object.values(ports).join(', ')} ${addresses.join() || 'without address'}`;
    it(`with ${name} ${promotable ? 'can be promoted' : 'would capture a port'}`, () => {
      const registry = registryWith([serviceEntry('x.com', ports, { addresses })]);
      assert.equal(registry.meshHosts.get('shop/x.com')?.neverPromoted, promotable ? undefined : 'CapturesPort');
    });
  }

  it('never include a bare star, which would be a whole namespace', () => {
    const registry = registryWith([serviceEntry('*', { 80: 'HTTP' }), virtualService('*'), virtualService('*.com')]);
    assert.equal(registry.meshHosts.size, 0);
  });

  const exports: readonly (readonly [ServiceEntry['exportTo'], boolean, boolean])[] = [
    [undefined, true, true],
    [['*'], true, true],
    [['.'], true, false],
    [['bank'], false, true],
    [['.', 'bank'], true, true],
    [['~'], false, false],
  ];
  for (const [exportTo, own, other] of exports) {
    it(`exported to ${exportTo ?? 'nobody in particular'} are ${own ? '' : 'not '}seen at home and ${other ? '' : 'not '}elsewhere`, () => {
      const registry = registryWith([serviceEntry('x.com', { 80: 'HTTP' }, exportTo ? { exportTo } : {})]);
      const seen = (namespace: string): boolean => registry.meshHostsByName('x.com', namespace).length > 0;
      assert.deepEqual([seen('shop'), seen('bank')], [own, other]);
    });
  }

  describe('of a VirtualService', () => {
    const hosts = (...objects: MeshObject[]): string[] => [...registryWith(objects).meshHosts.keys()];

    it('count where nothing else has them, with HTTP on port 80', () => {
      const host = registryWith([virtualService('x.com')]).meshHosts.get('shop/x.com');
      assert.deepEqual([host?.origin, host?.ports], ['VirtualService', [{ name: 'http', port: 80, protocol: 'HTTP' }]]);
    });

    for (const [what, object] of [
      ['gateways alone', virtualService('x.com', { isMesh: false })],
      ['no HTTP routes', virtualService('x.com', { routesHttp: false })],
    ] as const) {
      it(`do not count with ${what}`, () => assert.deepEqual(hosts(object), []));
    }

    it('do not count where a Service or ServiceEntry has exactly them', () => {
      assert.deepEqual(hosts(cart, virtualService(CART_HOST)), []);
      const other = serviceEntry('x.com', { 443: 'TLS' }, { namespace: 'bank' });
      assert.deepEqual(hosts(other, virtualService('x.com')), ['bank/x.com']);
      assert.deepEqual(hosts(serviceEntry('*.com', { 443: 'TLS' }), virtualService('x.com')).sort(), [
        'shop/*.com',
        'shop/x.com',
      ]);
    });

    it('of another namespace begin and cease to count with a ServiceEntry, and that is told', () => {
      const registry = registryWith([virtualService('x.com')]);
      const entry = serviceEntry('x.com', { 443: 'TLS' }, { namespace: 'bank' });
      assert.deepEqual([...apply(registry, entry).hosts], ['bank/x.com', 'shop/x.com']);
      assert.deepEqual([...remove(registry, entry).hosts], ['bank/x.com', 'shop/x.com']);
      assert.deepEqual([...registry.meshHosts.keys()], ['shop/x.com']);
    });

    it('begin and cease to count when such a Service goes and comes, and that is told', () => {
      const registry = registryWith([cart, virtualService(CART_HOST)]);
      const gone = remove(registry, cart);
      assert.deepEqual(
        [[...gone.hosts], [...registry.meshHosts.keys()]],
        [[`shop/${CART_HOST}`], [`shop/${CART_HOST}`]],
      );
      const back = apply(registry, cart);
      assert.deepEqual([[...back.hosts], registry.meshHosts.size], [[`shop/${CART_HOST}`], 0]);
      assert.deepEqual([...apply(registry, { ...cart, ports: [] }).hosts], []);
    });
  });
});

describe('HTTP ports', () => {
  it('are in Istio mode those of Services and ServiceEntries, and 80', () => {
    const registry = registryWith([cart, serviceEntry('x.com', { 8888: 'HTTP2', 443: 'TLS', 1: 'Auto', 2: 'TCP' })]);
    assert.deepEqual([...registry.httpPorts].sort(), [80, 8080, 8888]);
  });

  it('never shrink', () => {
    const entry = serviceEntry('x.com', { 8888: 'HTTP' });
    const registry = registryWith([entry]);
    remove(registry, entry);
    assert.equal(registry.httpPorts.has(8888), true);
  });

  it("are everybody's matter when a ServiceEntry brings a new one", () => {
    const registry = registryWith([]);
    assert.equal(apply(registry, serviceEntry('x.com', { 8888: 'HTTP' })).everybody, true);
    assert.equal(apply(registry, serviceEntry('y.com', { 8888: 'HTTP' })).everybody, false);
  });
});

it('mixed ports are declared TCP, on a number that is HTTP elsewhere', () => {
  const registry = registryWith([
    cart,
    service('db', { 8080: 'TCP', 5432: 'TCP' }, { clusterIP: '10.96.0.2' }),
    service('peers', { 80: 'TCP' }),
    service('other', { 8080: 'TLS', 80: 'Auto' }, { clusterIP: '10.96.0.3' }),
    serviceEntry('vip.com', { 8080: 'TCP' }, { addresses: ['10.0.0.1'] }),
    serviceEntry('real.com', { 8080: 'TCP' }),
  ]);
  assert.deepEqual(
    [...registry.mixedPorts()],
    [
      { service: 'shop/db.shop.svc.cluster.local', port: 8080 },
      { service: 'shop/peers.shop.svc.cluster.local', port: 80 },
      { service: 'shop/vip.com', port: 8080 },
    ],
  );
});

it('direct mode knows nothing of what Istio adds', () => {
  const registry = registryWith([cart, slice(cart, ['10.0.0.1'])], 'direct');
  const { revision } = registry;
  const changes = apply(
    registry,
    serviceEntry('x.com', { 8888: 'HTTP' }),
    virtualService('y.com'),
    pod('a-0', '10.0.0.1'),
  );
  assert.deepEqual([[...changes.hosts], changes.everybody, registry.revision], [[], false, revision]);
  assert.deepEqual([registry.meshHosts.size, [...registry.httpPorts], [...registry.identities()]], [0, [8080], []]);
});

it('the revision grows with a host in Istio mode', () => {
  const registry = registryWith([]);
  const { revision } = registry;
  apply(registry, serviceEntry('x.com', { 443: 'TLS' }));
  assert.equal(registry.revision, revision + 1);
});

describe('whom a change concerns in Istio mode', () => {
  const policy = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'x' } as const;
  const podSelector = { matchLabels: {}, matchExpressions: [] };
  const policies: readonly MeshObject[] = [
    policy,
    { kind: 'NetworkPolicy', namespace: 'shop', name: 'x', podSelector },
    { kind: 'DestinationRule', namespace: 'shop', name: 'x', host: CART_HOST },
    { kind: 'ConfigMap', namespace: 'lazyscope', name: 'lazyscope-kill-switch' },
    serviceEntry('x.com', { 80: 'HTTP' }),
    virtualService('x.com'),
    sidecar('user'),
  ];
  for (const object of policies) {
    it(`a ${object.kind}, coming and going, is a matter of policy`, () => {
      const registry = registryWith([]);
      assert.equal(apply(registry, object).policies, true);
      assert.equal(remove(registry, object).policies, true);
    });
  }

  it("the deletion of a policy that was not known is nobody's matter", () => {
    assert.equal(remove(registryWith([]), policy).policies, false);
  });

  it('a Sidecar of our own concerns its workload alone', () => {
    const registry = registryWith([]);
    const ours = sidecar('lazyscope-deployment-a', 'shop/Deployment/a');
    for (const changes of [apply(registry, ours), apply(registry, { ...ours }), remove(registry, ours)]) {
      assert.deepEqual([changes.policies, [...changes.sidecars]], [false, ['shop/Deployment/a']]);
    }
  });

  it('a Sidecar that ceases to be ours is both', () => {
    const registry = registryWith([sidecar('x', 'shop/Deployment/a')]);
    const changes = apply(registry, sidecar('x'));
    assert.deepEqual([changes.policies, [...changes.sidecars]], [true, ['shop/Deployment/a']]);
  });

  it('a pod concerns its workload, and its former one where a ReplicaSet is told late', () => {
    const registry = registryWith([]);
    assert.deepEqual([...apply(registry, pod('a-0', '10.0.0.1')).workloads], ['shop/Deployment/a']);
    const owner = { kind: 'Rollout', name: 'a' };
    const late = apply(registry, { kind: 'ReplicaSet', namespace: 'shop', name: 'a-5d4f', owner });
    assert.deepEqual([...late.workloads], ['shop/Deployment/a', 'shop/Rollout/a']);
    const gone = remove(registry, { kind: 'Pod', namespace: 'shop', name: 'a-0' });
    assert.deepEqual([...gone.workloads], ['shop/Rollout/a']);
  });

  it("a workload's new mode concerns it and its pods", () => {
    const registry = registryWith([pod('a-0', '10.0.0.1'), pod('b-0', '10.0.0.2')]);
    const deployment = { kind: 'Deployment', namespace: 'shop', name: 'a' } as const;
    assert.deepEqual([...apply(registry, deployment).workloads], []);
    const changes = apply(registry, { ...deployment, mode: 'Enforce' });
    assert.deepEqual([[...changes.workloads], changes.pods.map(({ name }) => name)], [['shop/Deployment/a'], ['a-0']]);
    assert.deepEqual([...remove(registry, deployment).workloads], ['shop/Deployment/a']);
  });

  it("a namespace's new mode concerns its workloads", () => {
    const registry = registryWith([pod('a-0', '10.0.0.1'), pod('c-0', '10.0.0.3', { namespace: 'bank' })]);
    const namespace = { kind: 'Namespace', namespace: '', name: 'shop' } as const;
    assert.deepEqual([...apply(registry, namespace).workloads], []);
    assert.deepEqual([...apply(registry, { ...namespace, mode: 'Enforce' }).workloads], ['shop/Deployment/a']);
  });
});

describe('identities', () => {
  const ofShop = { namespace: 'shop', serviceAccount: 'a' };

  it('have the addresses of all their pods', () => {
    const registry = registryWith([
      pod('a-1', '10.0.0.2'),
      pod('a-0', '10.0.0.1', { addresses: ['10.0.0.1', 'fd00::1'] }),
      pod('a-2', '10.0.0.3', { hostNetwork: true }),
      pod('a-3', '10.0.0.4', { finished: true }),
      pod('c-0', '10.0.0.9', { namespace: 'bank', serviceAccount: 'a' }),
    ]);
    assert.deepEqual(
      [...registry.identities()],
      [
        { ...ofShop, addresses: ['10.0.0.1', '10.0.0.2', 'fd00::1'] },
        { namespace: 'bank', serviceAccount: 'a', addresses: ['10.0.0.9'] },
      ],
    );
  });

  it('are told when their addresses change, and are the same value until then', () => {
    const registry = registryWith([pod('a-0', '10.0.0.1'), pod('b-0', '10.0.0.8')]);
    const [, before] = registry.identities();
    const changed = (object: MeshObject): string[] => [...apply(registry, object).identities];
    assert.deepEqual(changed(pod('a-0', '10.0.0.1', { labels: { new: 'x' } })), []);
    assert.deepEqual(changed(pod('a-0', '10.0.0.2')), ['shop/a']);
    assert.deepEqual(changed(pod('a-1', '', { addresses: [] })), []);
    assert.deepEqual(changed(pod('a-0', '10.0.0.2', { serviceAccount: 'z' })), ['shop/a', 'shop/z']);
    assert.deepEqual(changed(pod('a-0', '10.0.0.2', { serviceAccount: 'z', finished: true })), ['shop/z']);
    const gone = remove(registry, { kind: 'Pod', namespace: 'shop', name: 'b-0' });
    assert.deepEqual([[...gone.identities], [...registry.identities()]], [['shop/b'], []]);
    apply(registry, pod('b-0', '10.0.0.8'));
    const [again] = registry.identities();
    assert.deepEqual(again, before);
    apply(registry, pod('a-0', '10.0.0.1'));
    assert.equal(
      [...registry.identities()].find(({ serviceAccount }) => serviceAccount === 'b'),
      again,
    );
  });
});
