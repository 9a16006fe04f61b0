import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hostPatterns } from '../../../../controller/core/registry/host-table.ts';
import { PolicyIndex } from '../../../../controller/core/registry/policy-index.ts';
import { sidecar, virtualService } from '../../../support/policy-objects.ts';

const nameOf = ({ name }: { readonly name: string }): string => name;

it('finds Sidecars by namespace, and those of our own', () => {
  const policies = new PolicyIndex();
  policies.apply(sidecar('user'));
  policies.apply(sidecar('ours', 'shop/Deployment/a'));
  policies.apply({ ...sidecar('elsewhere', 'bank/Deployment/b'), namespace: 'bank' });
  assert.deepEqual([...policies.sidecarsIn('shop')].map(nameOf), ['ours', 'user']);
  assert.deepEqual([...policies.managedSidecars()].map(nameOf), ['ours', 'elsewhere']);
  policies.delete('Sidecar', { namespace: 'bank', name: 'elsewhere' });
  assert.deepEqual([...policies.managedSidecars()].map(nameOf), ['ours']);
  assert.deepEqual([...policies.sidecarsIn('bank')], []);
});

it('finds the VirtualServices of sidecars that name a host, also by wildcard', () => {
  const policies = new PolicyIndex();
  policies.apply(virtualService('a.example.com', { name: 'exact' }));
  policies.apply(virtualService('*.example.com', { name: 'wild', namespace: 'bank', hosts: ['*.example.com', '*'] }));
  policies.apply(virtualService('*.com', { name: 'wilder' }));
  policies.apply(virtualService('b.example.com', { name: 'other' }));
  policies.apply(virtualService('a.example.com', { name: 'of-gateways', isMesh: false }));
  assert.deepEqual(policies.virtualServicesFor('a.example.com').map(nameOf), ['wild', 'exact', 'wilder']);
  assert.deepEqual(policies.virtualServicesFor('*.example.com').map(nameOf), ['wild', 'wilder']);
  policies.apply(virtualService('a.example.com', { name: 'exact', hosts: ['moved.example.org'] }));
  policies.delete('VirtualService', { namespace: 'shop', name: 'wilder' });
  assert.deepEqual(policies.virtualServicesFor('a.example.com').map(nameOf), ['wild']);
});

it('knows a ConfigMap by its name, and DestinationRules by their namespace', () => {
  const policies = new PolicyIndex();
  policies.apply({ kind: 'ConfigMap', namespace: 'lazyscope', name: 'kill' });
  policies.apply({ kind: 'DestinationRule', namespace: 'shop', name: 'x', host: 'a.b' });
  assert.deepEqual([policies.hasConfigMap('lazyscope', 'kill'), policies.hasConfigMap('shop', 'kill')], [true, false]);
  assert.deepEqual([...policies.destinationRulesIn('shop')].map(nameOf), ['x']);
  assert.deepEqual([...policies.destinationRulesIn('bank')], []);
  policies.delete('ConfigMap', { namespace: 'lazyscope', name: 'kill' });
  assert.equal(policies.hasConfigMap('lazyscope', 'kill'), false);
});

for (const [host, patterns] of [
  ['a.b.c', ['a.b.c', '*.b.c', '*.c', '*']],
  ['*.b.c', ['*.b.c', '*.c', '*']],
  ['a', ['a', '*']],
  ['*', ['*']],
] as const) {
  it(`${host} is named by ${patterns.join(', ')}`, () => assert.deepEqual(hostPatterns(host), patterns));
}
