import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTE_CONFIGURATION, type Service } from '../../../../controller/core/model.ts';
import type { RouteClient } from '../../../../controller/core/resources/domains.ts';
import { RouteResources } from '../../../../controller/core/snapshot/route-resources.ts';
import { encode } from '../../../../controller/wire/messages.ts';
import { ledger, search, service, shopClient, web } from '../resources/services.ts';
import { wholeRoutes } from '../resources/whole-routes.ts';
import { countingEncoding } from './mesh-view.ts';

const bankClient: RouteClient = { ...shopClient, namespace: 'bank' };
/** Where `search` is a namespace, too, its pods have no short names. */
const ambiguous: RouteClient = { ...shopClient, namespaces: new Set([...shopClient.namespaces, 'search']) };
const rival = service('a.shop', [[8080, 'HTTP']], { clusterIPs: web.clusterIPs });
const mesh = [ledger, search, web];

function countingRoutes() {
  const { encoding, count } = countingEncoding();
  return { routes: new RouteResources(encoding), count };
}

/** What clients ask for one after the other, of the same resources. */
const asked: readonly { what: string; port: number; services: readonly Service[]; client: RouteClient }[] = [
  { what: 'no service', port: 8080, services: [], client: shopClient },
  { what: 'services, some of the own namespace', port: 8080, services: mesh, client: shopClient },
  { what: 'the same from another namespace', port: 8080, services: mesh, client: bankClient },
  { what: 'the same on another port', port: 80, services: mesh, client: shopClient },
  { what: 'the same where pods have no short names', port: 8080, services: mesh, client: ambiguous },
  { what: 'a service with the address of another', port: 8080, services: [rival, ...mesh], client: shopClient },
  { what: 'the other alone again', port: 8080, services: [web], client: shopClient },
];

test('whatever was asked for before, the bytes are those of the configuration encoded as a whole', () => {
  const { routes } = countingRoutes();
  for (const { what, port, services, client } of [...asked, ...asked.toReversed()]) {
    const whole = encode(ROUTE_CONFIGURATION, wholeRoutes(port, services, client));
    assert.deepEqual(Buffer.from(routes.routes(port, services, client).bytes), Buffer.from(whole), what);
  }
});

test('a service that comes has its virtual host encoded, and those that were there have not', () => {
  const { routes, count } = countingRoutes();
  routes.routes(8080, [ledger, search], shopClient);
  const before = count.encoded;
  routes.routes(8080, mesh, shopClient);
  assert.equal(count.encoded - before, ['the opening', 'the virtual host of web'].length);
});

test('a service that goes has nothing encoded but the opening', () => {
  const { routes, count } = countingRoutes();
  routes.routes(8080, mesh, shopClient);
  const before = count.encoded;
  routes.routes(8080, [ledger, web], shopClient);
  assert.equal(count.encoded - before, ['the opening'].length);
});

test('a service object that takes the place of another is encoded anew', () => {
  const { routes } = countingRoutes();
  const moved = { ...web, clusterIPs: rival.clusterIPs, host: 'web.shop.svc.example.org' };
  const versions = [[web], [moved]].map((services) => routes.routes(8080, services, shopClient).version);
  assert.equal(new Set(versions).size, 2);
});
