import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domains, type RouteClient } from '../../../../controller/core/resources/domains.ts';
import type { Message } from '../../../../controller/core/resources/message.ts';
import { emptyRouteConfiguration } from '../../../../controller/core/resources/route.ts';
import { search, service, shopClient, web } from './services.ts';
import { wholeRoutes } from './whole-routes.ts';

const bankClient: RouteClient = { ...shopClient, namespace: 'bank' };

/** Domains by name of the virtual host. */
function domainsOf(configuration: Message): Record<string, readonly string[]> {
  const hosts = configuration['virtual_hosts'] as readonly { name: string; domains: readonly string[] }[];
  return Object.fromEntries(hosts.map((host) => [host.name, host.domains]));
}

const cases: readonly { title: string; given: readonly string[]; expected: readonly string[] }[] = [
  {
    title: 'a service answers to its names and addresses in its own namespace',
    given: domains(web, shopClient),
    expected: [
      'web.shop.svc.cluster.local',
      'web.shop.svc',
      'web.shop',
      'web',
      'web.shop.svc.cluster.local.',
      '10.96.0.10',
      '[fd00::10]',
    ],
  },
  {
    title: 'a service has no short name elsewhere',
    given: domains(web, bankClient).filter((name) => !name.includes('.') && !name.startsWith('[')),
    expected: [],
  },
  {
    title: 'a headless service answers to the names of its pods',
    given: domains(search, shopClient).filter((name) => name.startsWith('*')),
    expected: [
      '*.search.shop.svc.cluster.local',
      '*.search.shop.svc',
      '*.search.shop',
      '*.search.shop.svc.cluster.local.',
      '*.search',
    ],
  },
  {
    title: 'a short pod name is left to the egress where a namespace has the name of the service',
    given: domains(search, { namespace: 'shop', namespaces: new Set(['shop', 'search']) }).filter((name) =>
      name.endsWith('.search'),
    ),
    expected: [],
  },
];

for (const { title, given, expected } of cases) test(title, () => assert.deepEqual(given, expected));

test('a domain that two services claim goes to the first in order, whatever the order of the input', () => {
  const first = service('a.shop', [[8080, 'HTTP']], { clusterIPs: ['10.96.0.9'] });
  const second = service('b.shop', [[8080, 'HTTP']], { clusterIPs: ['10.96.0.9'] });
  const forwards = wholeRoutes(8080, [first, second], shopClient);
  assert.deepEqual(wholeRoutes(8080, [second, first], shopClient), forwards);
  const found = domainsOf(forwards);
  assert.ok(found['a.shop.svc.cluster.local:8080']?.includes('10.96.0.9'));
  assert.ok(!found['b.shop.svc.cluster.local:8080']?.includes('10.96.0.9'));
});

test('every other host goes to the egress, by the last virtual host', () => {
  assert.deepEqual(Object.entries(domainsOf(wholeRoutes(8080, [web], shopClient))).at(-1), ['allow_any', ['*']]);
});

test('a name that nobody publishes gets a configuration without hosts', () => {
  assert.deepEqual(emptyRouteConfiguration('9999'), { name: '9999' });
});
