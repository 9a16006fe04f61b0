import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LISTENER, type Resource, type ResourceType, ROUTE_CONFIGURATION } from '../../../controller/core/model.ts';
import { decode, encode, type PlainMessage } from '../../../controller/wire/messages.ts';
import { createResourceCodec } from '../../../controller/xds/resource-codec.ts';

const codec = createResourceCodec();

function resource(type: ResourceType, message: PlainMessage): Resource {
  return { type, name: 'x', version: '1', bytes: encode(type, message) };
}

test('a route configuration refers to the clusters of its routes', () => {
  const { clusters, routes } = codec.references(
    resource(ROUTE_CONFIGURATION, {
      name: '80',
      virtual_hosts: [
        {
          name: 'a',
          domains: ['a'],
          routes: [
            { match: { prefix: '/' }, route: { cluster: 'one' } },
            { match: { prefix: '/' }, route: { weighted_clusters: { clusters: [{ name: 'two', weight: 1 }] } } },
            { match: { prefix: '/' }, direct_response: { status: 404 } },
          ],
        },
      ],
    }),
  );
  assert.deepEqual([...clusters].sort(), ['one', 'two']);
  assert.deepEqual([...routes], []);
});

test('a listener refers to the clusters and routes of its filters', () => {
  const { clusters, routes } = codec.references(
    resource(LISTENER, {
      name: '0.0.0.0_80',
      filter_chains: [
        {
          filters: [
            {
              name: 'http',
              typed_config: {
                '@type':
                  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                stat_prefix: 'x',
                rds: { route_config_name: '80', config_source: { ads: {} } },
              },
            },
          ],
        },
      ],
      default_filter_chain: {
        filters: [
          {
            name: 'tcp',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
              stat_prefix: 'x',
              cluster: 'three',
            },
          },
        ],
      },
    }),
  );
  assert.deepEqual([[...clusters], [...routes]], [['three'], ['80']]);
});

test('the empty route configuration has its name and one version', () => {
  const empty = codec.emptyRoute('9999');
  assert.equal(decode(ROUTE_CONFIGURATION, empty.bytes)['name'], '9999');
  assert.equal(empty.version, codec.emptyRoute('8888').version);
});
