/**
 * Every kind of resource, as YAML to read and to compare with the tested template. After a change that is meant:
 * `node --test --test-update-snapshots test/controller/core/resources/golden.test.ts`
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { assignments, bootstraps, clusters, listeners, routes } from './every-resource.ts';

const folder = fileURLToPath(new URL('../../../golden/resources/', import.meta.url));
const resources = { ...clusters, ...assignments, ...listeners, ...routes, ...bootstraps };

for (const [name, message] of Object.entries(resources)) {
  test(`${name} is as its golden file says`, (t) => {
    t.assert.fileSnapshot(message, `${folder}${name}.yaml`, {
      serializers: [(value) => stringify(value, { aliasDuplicateObjects: false })],
    });
  });
}

test('no golden file is left of a resource that is gone', () => {
  const files = readdirSync(folder).map((file) => file.replace('.yaml', ''));
  assert.deepEqual(files.sort(), Object.keys(resources).sort());
});
