import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint } from '../../../../controller/core/model.ts';
import { loadAssignment } from '../../../../controller/core/resources/endpoint.ts';

const endpoints = fc.array(
  fc.record({ address: fc.ipV4(), port: fc.integer({ min: 1, max: 65535 }), ready: fc.boolean() }),
  { maxLength: 6 },
);

const ready = (address: string, port = 80): Endpoint => ({ address, port, ready: true });

test('the order of endpoints makes no difference', () => {
  fc.assert(
    fc.property(endpoints, (list) => {
      assert.deepEqual(loadAssignment('c', list), loadAssignment('c', list.toReversed()));
    }),
  );
});

test('an endpoint that two slices name counts once', () => {
  const once = loadAssignment('c', [ready('10.0.0.1'), ready('10.0.0.1', 81)]);
  assert.deepEqual(loadAssignment('c', [ready('10.0.0.1', 81), ready('10.0.0.1'), ready('10.0.0.1')]), once);
});

test('without a ready endpoint the assignment is there and empty', () => {
  assert.deepEqual(loadAssignment('c', [{ ...ready('10.0.0.1'), ready: false }]), { cluster_name: 'c' });
});
