import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoutingTable } from '../../egress/routing-table.ts';
import { setService } from './support/relay.ts';

const CLUSTER = 'outbound|80||web.test.svc.cluster.local';
const WEB = { name: 'web', port: 80, protocol: 'HTTP', clusterIP: '10.96.0.1' } as const;

test('an updated service keeps its endpoints and loses its old names', () => {
  const table = new RoutingTable();
  setService(table, { ...WEB, endpoints: [{ address: '10.0.0.1', port: 1 }] });
  setService(table, { ...WEB, clusterIP: '10.96.0.2' });
  assert.equal(table.byAddress({ address: '10.96.0.1', port: 80 }), undefined);
  assert.deepEqual(table.byAddress({ address: '10.96.0.2', port: 80 })?.endpoints, [{ address: '10.0.0.1', port: 1 }]);
  assert.equal(table.size, 1);
});

test('a removed service is forgotten, endpoints and HTTP port too', () => {
  const table = new RoutingTable();
  setService(table, { ...WEB, endpoints: [{ address: '10.0.0.1', port: 1 }] });
  assert.equal(table.isHttpPort(80), true);
  table.delete(CLUSTER);
  assert.equal(table.byHost('web.test', 80), undefined);
  assert.equal(table.isHttpPort(80), false);
  setService(table, WEB);
  assert.equal(table.byHost('web.test', 80)?.endpoints, undefined);
});

test('of two services that claim an address the first has it, and the second after it', () => {
  const table = new RoutingTable();
  setService(table, WEB);
  setService(table, { ...WEB, name: 'twin' });
  const claimant = (): string | undefined => table.byAddress({ address: '10.96.0.1', port: 80 })?.target.service;
  assert.equal(claimant(), 'test/web.test.svc.cluster.local');
  table.delete(CLUSTER);
  assert.equal(claimant(), 'test/twin.test.svc.cluster.local');
});

test('is complete once the endpoints of every service with a ClusterIP were told', () => {
  const table = new RoutingTable();
  assert.equal(table.isComplete, true);
  setService(table, { name: 'headless', port: 80, protocol: 'TCP' });
  assert.equal(table.isComplete, true);
  setService(table, WEB);
  assert.equal(table.isComplete, false);
  assert.deepEqual(table.clustersWithEndpoints(), [CLUSTER]);
  table.setEndpoints(CLUSTER, []);
  assert.equal(table.isComplete, true);
});
