/** The two objects that make external connections direct. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  entryManifest,
  type LazySource,
  routesManifest,
} from '../../../../controller/core/istio/external-direct-objects.ts';
import { SETTINGS } from './istio-world.ts';

const EXTERNAL = { ports: [9000, 443, 443], meshRanges: ['10.96.0.0/16', '10.244.0.0/16'] };
const cart: LazySource = { namespace: 'shop', selector: { app: 'cart' } };
const canary: LazySource = { namespace: 'shop', selector: { app: 'cart', track: 'canary' } };
const bank: LazySource = { namespace: 'bank', selector: { app: 'cart' } };
const metadata = {
  namespace: 'lazyscope',
  name: 'lazyscope-external-direct',
  labels: { 'app.kubernetes.io/managed-by': 'lazyscope' },
};

test('The ServiceEntry takes every destination on its ports, and is seen where somebody is lazy', () => {
  assert.deepEqual(entryManifest(EXTERNAL, [cart, bank], SETTINGS), {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata,
    spec: {
      hosts: ['external-direct.lazyscope.internal'],
      exportTo: ['bank', 'shop'],
      location: 'MESH_EXTERNAL',
      resolution: 'NONE',
      ports: [
        { number: 443, name: 'tcp-443', protocol: 'TCP' },
        { number: 9000, name: 'tcp-9000', protocol: 'TCP' },
      ],
    },
  });
});

test('The VirtualService leads what is in the mesh to the egress, for lazy pods alone', () => {
  const destinationSubnets = ['10.244.0.0/16', '10.96.0.0/16'];
  const match = (sourceNamespace: string) => ({ destinationSubnets, sourceNamespace, sourceLabels: { app: 'cart' } });
  const host = 'lazyscope-egress.lazyscope.svc.cluster.local';
  assert.deepEqual(routesManifest(EXTERNAL, [cart, bank], SETTINGS), {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata,
    spec: {
      hosts: ['external-direct.lazyscope.internal'],
      exportTo: ['bank', 'shop'],
      tcp: [{ match: [match('bank'), match('shop')], route: [{ destination: { host, port: { number: 15080 } } }] }],
    },
  });
});

test('No pod is selected twice, and the order in which workloads are known does not count', () => {
  const [one, other] = [
    [canary, cart, bank, cart],
    [bank, cart],
  ].map((sources) => routesManifest(EXTERNAL, sources, SETTINGS));
  assert.deepEqual(one, other);
});
