import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SocketAddress } from '../../controller/core/model.ts';
import { looksBeforeDialling, type Route, route, type Sight } from '../../egress/route.ts';
import { RoutingTable } from '../../egress/routing-table.ts';
import { setService } from './support/relay.ts';

const ENDPOINT = { address: '10.0.0.1', port: 80 };
const table = new RoutingTable();
setService(table, { name: 'web', port: 8080, protocol: 'HTTP', clusterIP: '10.96.0.1', endpoints: [ENDPOINT] });
setService(table, { name: 'grpc', port: 8080, protocol: 'GRPC', clusterIP: '10.96.0.2', endpoints: [ENDPOINT] });
setService(table, { name: 'tcp', port: 8080, protocol: 'TCP', clusterIP: '10.96.0.3', endpoints: [ENDPOINT] });
setService(table, { name: 'tls', port: 8080, protocol: 'TLS', clusterIP: '10.96.0.4', endpoints: [ENDPOINT] });
setService(table, { name: 'db', port: 5432, protocol: 'TCP', clusterIP: '10.96.0.5', endpoints: [ENDPOINT] });
setService(table, { name: 'headless', port: 8080, protocol: 'HTTP' });
setService(table, { name: 'empty', port: 8080, protocol: 'HTTP', clusterIP: '10.96.0.6', endpoints: [] });
setService(table, { name: 'untold', port: 8080, protocol: 'HTTP', clusterIP: '10.96.0.7' });
setService(table, { name: 'guarded', port: 8080, protocol: 'HTTP', clusterIP: '10.96.0.8', relayable: false });

const context = { table, isNeverRelayed: ({ address }: SocketAddress) => address.startsWith('127.') };
const to = (address: string, port = 8080): SocketAddress => ({ address, port });
const EXTERNAL = to('203.0.113.9');
const http = (host: string): Sight => ({ protocol: 'HTTP1', host });

function summary(result: Route): string {
  const service = result.service?.service.replace(/^test\/|\.test\.svc.*/g, '') ?? '-';
  if (result.kind === 'Refuse') return `refuse ${service} ${result.reason}`;
  return `dial ${service} ${result.candidates.map(({ address }) => address)} ${result.reason}`;
}

test('looks before dialling only where HTTP is to be expected', () => {
  const expectations: readonly [string, SocketAddress, boolean][] = [
    ['declared HTTP', to('10.96.0.1'), true],
    ['declared gRPC', to('10.96.0.2'), true],
    ['declared TCP on a mixed port', to('10.96.0.3'), false],
    ['declared TLS on a mixed port', to('10.96.0.4'), false],
    ['declared TCP', to('10.96.0.5', 5432), false],
    ['unregistered on a port that is HTTP somewhere', EXTERNAL, true],
    ['unregistered on a port that is HTTP nowhere', to('203.0.113.9', 5432), false],
    ['another port of a service', to('10.96.0.1', 9), false],
  ];
  for (const [name, destination, expected] of expectations) {
    assert.equal(looksBeforeDialling(destination, table), expected, name);
  }
});

test('routes by Host, then address, then server name', () => {
  const tls = (serverName: string): Sight => ({ protocol: 'TLS', serverName });
  const expectations: readonly [string, SocketAddress, Sight | undefined, string][] = [
    ['no bytes', to('10.96.0.1'), undefined, 'dial web 10.0.0.1 ClusterIP'],
    ['own Host', to('10.96.0.1'), http('web.test'), 'dial web 10.0.0.1 Host'],
    ['Host of another service', to('10.96.0.1'), http('grpc.test.svc'), 'dial grpc 10.0.0.1 Host'],
    [
      'Host in any case, with port and final dot',
      EXTERNAL,
      http('Web.Test.svc.cluster.LOCAL.:80'),
      'dial web 10.0.0.1 Host',
    ],
    ['Host that is no service', to('10.96.0.1'), http('example.org'), 'dial web 10.0.0.1 ClusterIP'],
    ['Host that is no service, external', EXTERNAL, http('example.org'), 'dial - 203.0.113.9 Unregistered'],
    ['Host of a TCP service', to('10.96.0.1'), http('tcp.test'), 'dial web 10.0.0.1 ClusterIP'],
    ['Host on a declared TCP port', to('10.96.0.3'), http('web.test'), 'dial tcp 10.0.0.1 ClusterIP'],
    ['Host of a service on another port', to('203.0.113.9', 81), http('web.test'), 'dial - 203.0.113.9 Unregistered'],
    ['no Host', to('10.96.0.1'), http(''), 'dial web 10.0.0.1 ClusterIP'],
    ['h2', to('10.96.0.2'), { protocol: 'HTTP2' }, 'dial grpc 10.0.0.1 ClusterIP'],
    ['SNI of another service', to('10.96.0.4'), tls('web.test'), 'dial tls 10.0.0.1 ClusterIP'],
    ['SNI, unregistered address', EXTERNAL, tls('tls.test'), 'dial tls 10.0.0.1 ServerName'],
    ['SNI of an HTTP service', EXTERNAL, tls('web.test'), 'dial - 203.0.113.9 Unregistered'],
    ['headless by Host', to('10.0.0.7'), http('headless.test'), 'dial headless 10.0.0.7 OriginalOfService'],
    ['endpoints not told yet', to('10.96.0.7'), undefined, 'dial untold 10.96.0.7 OriginalOfService'],
    ['no ready endpoint', to('10.96.0.6'), undefined, 'refuse empty NoReadyEndpoint'],
    ['not relayable', to('10.96.0.8'), undefined, 'refuse guarded NotRelayable'],
    ['not relayable, by Host', EXTERNAL, http('guarded.test'), 'refuse guarded NotRelayable'],
    ['never relayed, whatever the Host', to('127.0.0.1'), http('web.test'), 'refuse - NeverRelayed'],
  ];
  for (const [name, destination, sight, expected] of expectations) {
    assert.equal(summary(route(destination, sight, context)), expected, name);
  }
});
