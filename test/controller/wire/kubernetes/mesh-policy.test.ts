import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';
import type { KubernetesObject } from '../../../support/kubernetes-objects.ts';

const OPTIONS = { clusterDomain: 'cluster.local', undeclared: 'Auto' } as const;
const METADATA = { name: 'x', namespace: 'shop' };

const GROUPS: Readonly<Record<string, string>> = {
  AuthorizationPolicy: 'security.istio.io/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
};

function object(kind: string, spec: KubernetesObject, more: KubernetesObject = {}): KubernetesObject {
  return { apiVersion: GROUPS[kind] ?? 'networking.istio.io/v1', kind, metadata: METADATA, spec, ...more };
}

function reduced(value: KubernetesObject): MeshObject | undefined {
  const { objects, problems } = reduce(value, OPTIONS);
  assert.deepEqual(problems, []);
  return objects[0];
}

/** What a kind's plainest object reduces to, besides kind, namespace and name. */
const PLAIN: Readonly<Record<string, KubernetesObject>> = {
  ServiceEntry: { hosts: ['api.example.com'], addresses: [], ports: [], resolution: 'NONE' },
  VirtualService: { hosts: ['cart.shop.svc.cluster.local'], isMesh: true, routesHttp: false },
  DestinationRule: { host: 'cart.shop.svc.cluster.local' },
  Sidecar: {},
  AuthorizationPolicy: {},
  NetworkPolicy: { podSelector: { matchLabels: {}, matchExpressions: [] } },
};

const PORT = { number: 80, name: 'http', protocol: 'HTTP' };

/** Kind, what about it, spec (and status), what differs from the plainest object. */
const CASES: readonly (readonly [string, string, KubernetesObject, KubernetesObject, KubernetesObject?])[] = [
  ['ServiceEntry', 'hosts alone', { hosts: ['API.example.com'] }, {}],
  [
    'ServiceEntry',
    'addresses and blocks, in canonical text',
    { hosts: ['api.example.com'], addresses: ['10.1.0.0/16', '10.2.0.1/32', '10.3.0.1', 'FD00::0/8'] },
    { addresses: ['10.1.0.0/16', '10.2.0.1', '10.3.0.1', 'fd00::/8'] },
  ],
  [
    'ServiceEntry',
    'ports',
    { hosts: ['api.example.com'], ports: [PORT, { number: 443, name: 'tls', protocol: 'TLS', targetPort: 8443 }] },
    {
      ports: [
        { name: 'http', port: 80, protocol: 'HTTP' },
        { name: 'tls', port: 443, targetPort: 8443, protocol: 'TLS' },
      ],
    },
  ],
  [
    'ServiceEntry',
    'a UDP port, which is none of ours',
    { hosts: ['api.example.com'], ports: [{ ...PORT, protocol: 'UDP' }] },
    {},
  ],
  [
    'ServiceEntry',
    'resolution, and whom it is exported to',
    { hosts: ['api.example.com'], resolution: 'DNS', exportTo: ['.'] },
    { resolution: 'DNS', exportTo: ['.'] },
  ],
  [
    'ServiceEntry',
    'what istiod allocated',
    { hosts: ['api.example.com'] },
    { allocated: [{ host: 'api.example.com', address: '240.240.0.1' }] },
    { status: { addresses: [{ host: 'api.example.com', value: '240.240.0.1' }, { value: '240.240.0.2' }] } },
  ],
  ['VirtualService', 'a short host', { hosts: ['Cart'] }, {}],
  [
    'VirtualService',
    'full hosts, wildcards and addresses',
    { hosts: ['shop.example.com', '*.example.com', '*', '10.0.0.1'] },
    { hosts: ['shop.example.com', '*.example.com', '*', '10.0.0.1'] },
  ],
  ['VirtualService', 'HTTP routes', { hosts: ['cart'], http: [{}] }, { routesHttp: true }],
  ['VirtualService', 'the mesh among its gateways', { hosts: ['cart'], gateways: ['edge', 'mesh'] }, {}],
  ['VirtualService', 'another gateway alone', { hosts: ['cart'], gateways: ['istio-ingress/edge'] }, { isMesh: false }],
  ['VirtualService', 'no gateways', { hosts: ['cart'], gateways: [] }, {}],
  ['VirtualService', 'no hosts (a delegate)', { http: [{}] }, { hosts: [], routesHttp: true }],
  ['DestinationRule', 'a short host', { host: 'cart' }, {}],
  ['DestinationRule', 'another host', { host: '*.local' }, { host: '*.local' }],
  ['DestinationRule', 'an empty policy', { host: 'cart', trafficPolicy: {} }, {}],
  [
    'DestinationRule',
    'PROXY v2 and mutual TLS',
    { host: 'cart', trafficPolicy: { proxyProtocol: { version: 'V2' }, tls: { mode: 'ISTIO_MUTUAL' } } },
    { proxyProtocol: 'V2', tls: 'ISTIO_MUTUAL' },
  ],
  [
    'DestinationRule',
    'enums at their defaults',
    { host: 'cart', trafficPolicy: { proxyProtocol: {}, tls: {} } },
    { proxyProtocol: 'V1', tls: 'DISABLE' },
  ],
  ['Sidecar', 'no selector', { egress: [{ hosts: ['*/*'] }] }, {}],
  ['Sidecar', 'a mode of what is not registered', { outboundTrafficPolicy: { mode: 'ALLOW_ANY' } }, {}],
  ['Sidecar', "a registry's policy", { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }, { isRegistryOnly: true }],
  ['Sidecar', 'a policy of the default mode', { outboundTrafficPolicy: {} }, { isRegistryOnly: true }],
  ['Sidecar', 'a selector', { workloadSelector: { labels: { app: 'x' } } }, { selector: { app: 'x' } }],
  [
    'NetworkPolicy',
    'a selector',
    { podSelector: { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] } },
    { podSelector: { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'tier', operator: 'Exists', values: [] }] } },
  ],
  ['NetworkPolicy', 'an empty selector', { podSelector: {} }, {}],
];

for (const [kind, what, spec, difference, more] of CASES) {
  it(`${kind} with ${what}`, () => {
    const expected = { kind, namespace: 'shop', name: 'x', ...PLAIN[kind], ...difference };
    assert.deepEqual(reduced(object(kind, spec, more)), expected);
  });
}

describe('protocol of a ServiceEntry port', () => {
  const protocols = [
    ['HTTP', 'HTTP'],
    ['http', 'HTTP'],
    ['HTTP_PROXY', 'HTTP'],
    ['HTTP2', 'HTTP2'],
    ['GRPC', 'GRPC'],
    ['GRPC-WEB', 'HTTP'],
    ['TLS', 'TLS'],
    ['HTTPS', 'TLS'],
    ['TCP', 'TCP'],
    ['MONGO', 'TCP'],
    ['REDIS', 'TCP'],
    ['MYSQL', 'TCP'],
    ['H2C', 'Auto'],
    ['', 'Auto'],
    [undefined, 'Auto'],
  ] as const;
  for (const [protocol, expected] of protocols) {
    it(`${protocol} is ${expected}`, () => {
      const entry = reduced(object('ServiceEntry', { hosts: ['a.b'], ports: [{ ...PORT, protocol }] }));
      assert.equal(entry?.kind === 'ServiceEntry' && entry.ports[0]?.protocol, expected);
    });
  }
});

describe('the first field of an AuthorizationPolicy that looks at the caller', () => {
  const source = (...sources: KubernetesObject[]) => ({ from: sources.map((one) => ({ source: one })) });
  const when = (...keys: string[]) => ({ when: keys.map((key) => ({ key, values: ['x'] })) });
  const fields = [
    'principals',
    'notPrincipals',
    'namespaces',
    'notNamespaces',
    'serviceAccounts',
    'notServiceAccounts',
    'ipBlocks',
    'notIpBlocks',
    'remoteIpBlocks',
    'notRemoteIpBlocks',
    'trustDomains',
    'fieldOfTomorrow',
  ];
  const cases: (readonly [string, readonly KubernetesObject[] | null, string?])[] = [
    ...fields.map((field) => [field, [source({ [field]: ['x'] })], `spec.rules[0].from[0].source.${field}`] as const),
    ...['source.ip', 'source.namespace', 'source.principal', 'source.serviceAccount', 'remote.ip'].map(
      (key) => [`a condition on ${key}`, [when(key)], 'spec.rules[0].when[0].key'] as const,
    ),
    [
      'a later field',
      [{}, source({ requestPrincipals: ['*'] }, { requestPrincipals: ['*'], principals: ['x'] })],
      'spec.rules[1].from[1].source.principals',
    ],
    ['a later condition', [when('request.auth.claims[iss]', 'source.ip')], 'spec.rules[0].when[1].key'],
    ['no rules', null],
    ['an empty rule', [{}]],
    ['an empty source', [source({})]],
    ['an empty list', [source({ principals: [] })]],
    ['a token', [source({ requestPrincipals: ['*'], notRequestPrincipals: ['x'] })]],
    ['what is asked for', [{ to: [{ operation: { paths: ['/admin'] } }] }]],
    ['conditions on other things', [when('request.headers[x]', 'destination.port', 'connection.sni')]],
  ];
  for (const [what, rules, field] of cases) {
    for (const action of ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']) {
      it(`with ${action} and ${what} is ${field ?? 'none'}`, () => {
        const policy = reduced(object('AuthorizationPolicy', { action, rules }));
        assert.deepEqual(policy?.kind === 'AuthorizationPolicy' && policy.callerField, field);
      });
    }
  }

  it('is none without a spec, which denies everybody alike', () => {
    const { spec: _, ...bare } = object('AuthorizationPolicy', {});
    assert.deepEqual(reduced(bare), { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'x' });
  });
});

describe('a Sidecar of our own', () => {
  const labels = { 'app.kubernetes.io/managed-by': 'lazyscope' };
  const annotations = { 'lazyscope.io/workload': 'shop/Deployment/cart' };
  const warm = { port: { number: 15998, protocol: 'HTTP_PROXY', name: 'warm' }, bind: '127.0.0.1', hosts: ['c/c'] };
  const spec = { workloadSelector: { labels: { app: 'cart' } }, egress: [{ hosts: ['b/b', 'a/a'] }, warm] };

  it('tells its workload, what it routes to and what it only holds', () => {
    const sidecar = reduced(object('Sidecar', spec, { metadata: { ...METADATA, labels, annotations } }));
    assert.deepEqual(sidecar, {
      kind: 'Sidecar',
      namespace: 'shop',
      name: 'x',
      selector: { app: 'cart' },
      managed: {
        workload: 'shop/Deployment/cart',
        routed: ['a/a', 'b/b'],
        warm: ['c/c'],
        spec:
          '{"egress":[{"hosts":["b/b","a/a"]},{"bind":"127.0.0.1","hosts":["c/c"],' +
          '"port":{"name":"warm","number":15998,"protocol":"HTTP_PROXY"}}],"workloadSelector":{"labels":{"app":"cart"}}}',
      },
    });
  });

  it('shows changes of the fields that we write, down to fields within that we do not know, and no others', () => {
    const metadata = { ...METADATA, labels, annotations };
    const textOf = (changed: KubernetesObject): string | undefined => {
      const sidecar = reduced(object('Sidecar', changed, { metadata }));
      return sidecar?.kind === 'Sidecar' ? sidecar.managed?.spec : undefined;
    };
    const text = textOf(spec);
    assert.equal(textOf({ ...spec, ingress: [], fieldOfTomorrow: 1 }), text);
    assert.notEqual(textOf({ ...spec, outboundTrafficPolicy: { fieldOfTomorrow: 1 } }), text);
    assert.notEqual(textOf({ ...spec, egress: [{ hosts: ['b/b', 'a/a'], fieldOfTomorrow: 1 }, warm] }), text);
  });

  for (const [what, metadata] of [
    ['the label alone', { labels }],
    ['the annotation alone', { annotations }],
    ["another manager's label", { annotations, labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
  ] as const) {
    it(`is none with ${what}`, () => {
      const sidecar = reduced(object('Sidecar', spec, { metadata: { ...METADATA, ...metadata } }));
      assert.equal(sidecar?.kind === 'Sidecar' && sidecar.managed, undefined);
    });
  }
});

for (const [kind, versions] of [
  ['ServiceEntry', ['v1', 'v1beta1', 'v1alpha3']],
  ['VirtualService', ['v1', 'v1beta1', 'v1alpha3']],
  ['DestinationRule', ['v1', 'v1beta1', 'v1alpha3']],
  ['Sidecar', ['v1', 'v1beta1', 'v1alpha3']],
  ['AuthorizationPolicy', ['v1', 'v1beta1']],
] as const) {
  const group = kind === 'AuthorizationPolicy' ? 'security.istio.io' : 'networking.istio.io';
  for (const version of versions) {
    it(`${kind} is read in ${group}/${version}`, () => {
      const spec = { hosts: ['a.b'], host: 'a.b' };
      assert.equal(reduced({ ...object(kind, spec), apiVersion: `${group}/${version}` })?.kind, kind);
    });
  }
}

describe('of a ServiceEntry or VirtualService of our own the whole spec is kept, with sorted keys', () => {
  const metadata = { ...METADATA, labels: { 'app.kubernetes.io/managed-by': 'lazyscope' } };
  const spec = { hosts: ['x.example.com'], fieldOfTomorrow: { b: 1, a: [] } };
  for (const kind of ['ServiceEntry', 'VirtualService']) {
    it(kind, () => {
      const text = '{"fieldOfTomorrow":{"a":[],"b":1},"hosts":["x.example.com"]}';
      assert.deepEqual(reduced(object(kind, spec, { metadata })), {
        ...reduced(object(kind, spec)),
        managedSpec: text,
      });
    });
  }
});

describe("a ConfigMap keeps its name, and as Istio's mesh config whether it is REGISTRY_ONLY:", () => {
  const cases: readonly (readonly [data: KubernetesObject | undefined, kept: KubernetesObject])[] = [
    [undefined, {}],
    [{ a: 'b' }, {}],
    [{ mesh: 'rootNamespace: istio-system' }, { isRegistryOnly: false }],
    [{ mesh: '' }, { isRegistryOnly: false }],
    [{ mesh: 'outboundTrafficPolicy:\n  mode: ALLOW_ANY\n' }, { isRegistryOnly: false }],
    [{ mesh: 'outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n' }, { isRegistryOnly: true }],
    [{ mesh: 'outboundTrafficPolicy: {mode: TOMORROW}' }, {}],
    [{ mesh: '{' }, {}],
  ];
  for (const [data, kept] of cases) {
    it(JSON.stringify(data ?? null), () => {
      const value = { apiVersion: 'v1', kind: 'ConfigMap', metadata: METADATA, ...(data ? { data } : {}) };
      assert.deepEqual(reduced(value), { kind: 'ConfigMap', namespace: 'shop', name: 'x', ...kept });
    });
  }
});

describe('what controls pods', () => {
  const metadata = { ...METADATA, annotations: { 'lazyscope.io/mode': 'Enforce' } };
  for (const [apiVersion, kind] of [
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'DaemonSet'],
    ['batch/v1', 'CronJob'],
    ['batch/v1', 'Job'],
    ['apps/v1', 'ReplicaSet'],
  ]) {
    it(`${kind} keeps its mode`, () => {
      const expected = { kind, namespace: 'shop', name: 'x', mode: 'Enforce' };
      assert.deepEqual(reduced({ apiVersion, kind, metadata }), expected);
    });
  }

  it("a ReplicaSet of a Deployment has no mode of its own: its annotations are the Deployment's, perhaps old ones", () => {
    const ownerReferences = [{ kind: 'Deployment', name: 'y', controller: true }];
    const value = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { ...metadata, ownerReferences } };
    const owner = { kind: 'Deployment', name: 'y' };
    assert.deepEqual(reduced(value), { kind: 'ReplicaSet', namespace: 'shop', name: 'x', owner });
  });

  it('with an unknown mode is kept without it, with a problem that names it', () => {
    const annotations = { 'lazyscope.io/mode': 'lazy' };
    const value = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...METADATA, annotations } };
    const { objects, problems } = reduce(value, OPTIONS);
    assert.deepEqual(objects, [{ kind: 'Deployment', namespace: 'shop', name: 'x' }]);
    assert.deepEqual(
      problems.map(({ subject }) => subject),
      ['Deployment shop/x'],
    );
  });
});

const WRONG: readonly (readonly [string, KubernetesObject, string])[] = [
  ['ServiceEntry', {}, 'spec.hosts: expected array, received undefined'],
  [
    'ServiceEntry',
    { hosts: ['a.b'], addresses: ['10.0.0.0/33'] },
    'spec.addresses[0]: expected an address or a CIDR block, received "10.0.0.0/33"',
  ],
  [
    'ServiceEntry',
    { hosts: ['a.b'], addresses: ['10.0.0.0/'] },
    'spec.addresses[0]: expected an address or a CIDR block, received "10.0.0.0/"',
  ],
  [
    'ServiceEntry',
    { hosts: ['a.b'], ports: [{ number: 0 }] },
    'spec.ports[0].number: Too small: expected number to be >=1',
  ],
  ['VirtualService', { hosts: 'a' }, 'spec.hosts: expected array, received string'],
  ['DestinationRule', {}, 'spec.host: expected string, received undefined'],
  ['Sidecar', { egress: [{ hosts: [1] }] }, 'spec.egress[0].hosts[0]: expected string, received number'],
  [
    'AuthorizationPolicy',
    { rules: [{ when: [{}] }] },
    'spec.rules[0].when[0].key: expected string, received undefined',
  ],
];

for (const [kind, spec, reason] of WRONG) {
  it(`a wrong ${kind} is rejected by name and field: ${reason}`, () => {
    const { objects, problems } = reduce(object(kind, spec), OPTIONS);
    assert.deepEqual([objects, problems], [[], [{ subject: `${kind} shop/x`, reason }]]);
  });
}
