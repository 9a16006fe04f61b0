/** The real Envoy loads everything that we publish. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { blackHoleCluster } from '../../../../controller/core/resources/cluster.ts';
import type { Message } from '../../../../controller/core/resources/message.ts';
import { XDS_CLUSTER } from '../../../../controller/core/resources/names.ts';
import { emptyRouteConfiguration } from '../../../../controller/core/resources/route.ts';
import { encode } from '../../../../controller/wire/messages.ts';
import { assignments, bootstraps, clusters, listeners, routes } from './every-resource.ts';

const envoy = process.env['LAZYSCOPE_ENVOY'] ?? '.tools/envoy/envoy';
const folder = mkdtempSync(join(tmpdir(), 'lazyscope-envoy-'));
after(() => rmSync(folder, { recursive: true }));

/** Rejects with what Envoy wrote when it refuses the file. */
async function validate(name: string, bytes: string | Uint8Array): Promise<void> {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  await promisify(execFile)(envoy, ['--mode', 'validate', '--log-level', 'error', '-c', file]);
}

/** `--mode validate` reads no xDS, so everything stands where a bootstrap can hold it. */
function staticForm(): Message {
  const inlineRoutes = Object.values({ ...routes, empty: emptyRouteConfiguration('1') });
  const assigned = Object.values(assignments).map((assignment) => ({
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: assignment,
  }));
  return {
    ...bootstraps['bootstrap'],
    static_resources: {
      clusters: [
        { ...blackHoleCluster(), name: XDS_CLUSTER },
        // Several forms of one cluster stand side by side here, so they go by number.
        ...[...Object.values(clusters), ...assigned].map((cluster, at) => ({ ...cluster, name: `cluster-${at}` })),
      ],
      listeners: [...Object.values(listeners), ...inlineRoutes.map((route, at) => withInlineRoutes(route, 20000 + at))],
    },
  };
}

function withInlineRoutes(routeConfiguration: Message, port: number): Message {
  const text = JSON.stringify(listeners['listener-http'], (key, value) => (key === 'rds' ? undefined : value));
  const listener = JSON.parse(text.replaceAll('8080', String(port)));
  listener.filter_chains[0].filters[0].typed_config.route_config = routeConfiguration;
  return listener;
}

for (const [name, message] of Object.entries(bootstraps)) {
  test(`Envoy accepts ${name} as it is printed`, () => validate(`${name}.json`, JSON.stringify(message)));
}

test('Envoy accepts every kind of resource in the bytes that we send', () =>
  validate('resources.pb', encode('envoy.config.bootstrap.v3.Bootstrap', staticForm())));

test('Envoy looks at inline routes: a domain named twice is refused', async () => {
  const host = { name: 'twice', domains: ['same'], routes: [] };
  const doubled = { name: '1', virtual_hosts: [host, { ...host, name: 'again' }] };
  const bootstrap = { static_resources: { listeners: [withInlineRoutes(doubled, 20000)] } };
  await assert.rejects(validate('twice.json', JSON.stringify(bootstrap)), /unique|duplicate|multiple/i);
});
