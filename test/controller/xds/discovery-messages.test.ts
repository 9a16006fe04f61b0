import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DeltaResponse } from '../../../controller/core/delta/discovery.ts';
import { CLUSTER, LISTENER, type Resource } from '../../../controller/core/model.ts';
import { decode } from '../../../controller/wire/messages.ts';
import { encodeResponse } from '../../../controller/xds/discovery-messages.ts';

const resource = (name: string, version: string): Resource => ({
  type: CLUSTER,
  name,
  version,
  bytes: Buffer.from(`${name} of ${version}`),
});
const [ONE, NEWER, OTHER] = [resource('a', '1'), resource('a', '2'), resource('b', '1')];

/** What a client reads of it. */
function read(response: DeltaResponse): object {
  const message = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', encodeResponse(response)) as {
    readonly type_url: string;
    readonly nonce: string;
    readonly resources: readonly { readonly name: string; readonly version: string }[];
    readonly removed_resources: readonly string[];
  };
  const { type_url: type, nonce, resources, removed_resources: removed } = message;
  return { type, nonce, versions: resources.map(({ name, version }) => `${name} ${version}`), removed };
}

/** Each follows the one before it, whose encoded content it must share only where it has the same. */
const IN_TURN: readonly (readonly [string, DeltaResponse])[] = [
  ['the first', { type: CLUSTER, nonce: '1-1', resources: [ONE], removed: [] }],
  ['the same to another client', { type: CLUSTER, nonce: '2-7', resources: [ONE], removed: [] }],
  ['a newer version under the same name', { type: CLUSTER, nonce: '1-2', resources: [NEWER], removed: [] }],
  ['one resource more', { type: CLUSTER, nonce: '1-3', resources: [NEWER, OTHER], removed: [] }],
  ['the same in another order', { type: CLUSTER, nonce: '1-4', resources: [OTHER, NEWER], removed: [] }],
  ['removals', { type: CLUSTER, nonce: '1-5', resources: [], removed: ['a'] }],
  ['other removals', { type: CLUSTER, nonce: '1-6', resources: [], removed: ['b'] }],
  ['those of another type', { type: LISTENER, nonce: '1-7', resources: [], removed: ['b'] }],
  ['nothing', { type: LISTENER, nonce: '1-8', resources: [], removed: [] }],
];

for (const [what, response] of IN_TURN) {
  it(`tells ${what}, with its own nonce`, () => {
    const versions = response.resources.map(({ name, version }) => `${name} ${version}`);
    const { type, nonce, removed } = response;
    assert.deepEqual(read(response), { type, nonce, versions, removed });
  });
}
