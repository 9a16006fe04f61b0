import { describe } from 'node:test';
import { testMeshSource } from '../../contract/mesh-source.ts';
import { kubectlYamlOf, ManifestFolder, yamlOf } from '../../support/manifest-folder.ts';

const FORMS = {
  'a file of many documents': ['mesh.yaml', yamlOf],
  'what kubectl prints as YAML': ['mesh.yml', kubectlYamlOf],
  'what kubectl prints as JSON': [
    'mesh.json',
    (items: readonly unknown[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 4),
  ],
} as const;

for (const [what, [file, print]] of Object.entries(FORMS)) {
  describe(`the files source on ${what}`, () => {
    testMeshSource(async (t) => {
      const folder = await ManifestFolder.make(t);
      return { set: (objects) => folder.replace(file, print(objects)), open: () => folder.source() };
    });
  });
}

describe('the files source on a file per object', () => {
  testMeshSource(async (t) => {
    const folder = await ManifestFolder.make(t);
    let count = 0;
    return {
      async set(objects) {
        for (const [index, object] of objects.entries()) await folder.replace(`${index}.json`, JSON.stringify(object));
        for (let index = objects.length; index < count; index += 1) await folder.remove(`${index}.json`);
        count = objects.length;
      },
      open: () => folder.source(),
    };
  });
});
