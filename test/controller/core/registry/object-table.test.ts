import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ObjectTable } from '../../../../controller/core/registry/object-table.ts';

interface Thing {
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
}

const namespace = fc.constantFrom('', 'shop', 'bank');
const name = fc.string({ maxLength: 2 });
const operation = fc.record({ type: fc.constantFrom('Apply', 'Delete'), namespace, name, version: fc.nat(9) });

test('tells what a map by namespace and name would, and keeps each namespace sorted', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const table = new ObjectTable<Thing>((thing) => thing);
      const model = new Map<string, Thing>();
      for (const { type, ...thing } of operations) {
        const key = JSON.stringify([thing.namespace, thing.name]);
        const before = model.get(key);
        if (type === 'Apply') {
          assert.equal(table.apply(thing), before);
          model.set(key, thing);
        } else {
          assert.equal(table.delete(thing.namespace, thing.name), before);
          model.delete(key);
        }
        assert.equal(table.get(thing.namespace, thing.name), model.get(key));
        assert.equal(table.size, model.size);
      }
      assert.deepEqual(new Set(table.all()), new Set(model.values()));
      for (const one of ['', 'shop', 'bank']) {
        const names = [...model.values()].filter((thing) => thing.namespace === one).map((thing) => thing.name);
        assert.deepEqual(
          [...table.in(one)].map((thing) => thing.name),
          names.sort(),
        );
      }
    }),
    { numRuns: 1_000 },
  );
});
