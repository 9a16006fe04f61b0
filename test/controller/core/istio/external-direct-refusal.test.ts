/** Every reason why external connections are not made direct, with the sentence that an operator reads. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExternalDirectRefusal } from '../../../../controller/core/istio/external-direct-refusal.ts';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import { pod, service } from '../../../support/mesh-objects.ts';
import { serviceEntry, sidecar } from '../../../support/policy-objects.ts';
import { front, INSTALLED, IstioWorld } from './istio-world.ts';

const MESH_CONFIG = { kind: 'ConfigMap', namespace: 'istio-system', name: 'istio', isRegistryOnly: false } as const;

/** @returns what readiness says; `undefined` where nothing is refused */
function refusalOf(objects: readonly MeshObject[], ports: readonly number[] = [443]): string | undefined {
  const externalDirect = { ports, meshRanges: ['10.0.0.0/15', '10.96.0.0/16'] };
  const world = new IstioWorld({ objects: [...INSTALLED, front, ...objects], settings: { externalDirect } }).begin();
  world.pass(10_000);
  const [check] = world.publishing.checks();
  assert.equal(world.registry.serviceEntry('lazyscope', 'lazyscope-external-direct') === undefined, check?.degraded);
  return check?.degraded ? check.detail : undefined;
}

interface Refused {
  readonly objects: readonly MeshObject[];
  readonly ports?: readonly number[];
  readonly message: string;
}

const outside = (object: string, address: string): string =>
  `${object} has address ${address}, which is in none of --mesh-ranges: add its range`;

const registryOnly = (object: string): string =>
  `${object} has outboundTrafficPolicy.mode REGISTRY_ONLY: what leaves from pods would not be held to it; take --external-direct-ports away`;

/** The type asks for every reason. */
const REFUSALS: Readonly<Record<ExternalDirectRefusal['reason'], readonly Refused[]>> = {
  MeshConfigUnknown: [
    {
      objects: [],
      message:
        'ConfigMap istio-system/istio cannot be read, which tells whether the mesh is REGISTRY_ONLY: apply the manifests',
    },
  ],
  RegistryOnly: [
    {
      objects: [{ ...MESH_CONFIG, isRegistryOnly: true }],
      message: registryOnly('ConfigMap istio-system/istio'),
    },
    ...['shop', 'istio-system'].map((namespace) => ({
      objects: [MESH_CONFIG, { ...sidecar('strict'), namespace, selector: { app: 'back' }, isRegistryOnly: true }],
      message: registryOnly(`Sidecar ${namespace}/strict`),
    })),
  ],
  OutsideMeshRanges: [
    {
      objects: [MESH_CONFIG, service('far', { 80: 'HTTP' }, { clusterIP: '10.97.0.1' })],
      message: outside('Service shop/far', '10.97.0.1'),
    },
    { objects: [MESH_CONFIG, pod('far-0', '10.2.0.1')], message: outside('Pod shop/far-0', '10.2.0.1') },
    { objects: [MESH_CONFIG, pod('six-0', 'fd00::1')], message: outside('Pod shop/six-0', 'fd00::1') },
    {
      objects: [MESH_CONFIG, { kind: 'Node', namespace: '', name: 'n1', addresses: ['fd00::1', '192.0.2.1'] }],
      message: outside('Node n1', '192.0.2.1'),
    },
    {
      objects: [MESH_CONFIG, serviceEntry('db.example.com', { 443: 'TCP' }, { addresses: ['192.0.2.1'] })],
      message: outside('ServiceEntry host shop/db.example.com', '192.0.2.1'),
    },
    {
      objects: [MESH_CONFIG, serviceEntry('wide.example.com', { 443: 'TCP' }, { addresses: ['10.0.0.0/8'] })],
      message: outside('ServiceEntry host shop/wide.example.com', '10.0.0.0/8'),
    },
  ],
  PortTaken: [
    {
      objects: [MESH_CONFIG],
      ports: [443, 80],
      message:
        'port 80: it is an HTTP port of the mesh, where every request goes its own way; take it out of --external-direct-ports',
    },
    {
      objects: [MESH_CONFIG, serviceEntry('named.example.com', { 443: 'TLS' })],
      message:
        'port 443: ServiceEntry host shop/named.example.com has it and no address: it is told apart by name alone; take it out of --external-direct-ports',
    },
    {
      objects: [MESH_CONFIG, service('bare', { 443: 'Auto' })],
      message:
        'port 443: Service shop/bare is headless and declares no protocol on it; take it out of --external-direct-ports',
    },
  ],
};

for (const [reason, refused] of Object.entries(REFUSALS)) {
  describe(`external connections are not made direct: ${reason}`, () => {
    for (const { objects, ports, message } of refused) {
      it(message, () => assert.equal(refusalOf(objects, ports), message));
    }
  });
}

it('External connections are made direct beside what is in the ranges, or on other ports', () => {
  const objects = [
    MESH_CONFIG,
    pod('near-0', '10.1.255.255'),
    pod('ended-0', '192.0.2.1', { finished: true }),
    { kind: 'Node', namespace: '', name: 'n1', addresses: ['10.0.0.1', 'fd00::1'] } as const,
    serviceEntry('near.example.com', { 443: 'TCP' }, { addresses: ['10.96.0.0/24'] }),
    serviceEntry('other.example.com', { 5432: 'TCP' }, { addresses: ['192.0.2.1'] }),
    serviceEntry('named.example.com', { 8443: 'TLS' }),
    service('headless', { 443: 'TLS' }),
    { ...sidecar('strict'), namespace: 'bank', isRegistryOnly: true },
  ];
  assert.equal(refusalOf(objects), undefined);
});
