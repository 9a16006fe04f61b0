import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnreadableKinds } from '../../../../controller/core/istio/unreadable-kinds.ts';

const POLICIES = new Set(['NetworkPolicy'] as const);

describe('kinds that may not be read', () => {
  it('count at once where they never could be', () => {
    const kinds = new UnreadableKinds();
    kinds.told(POLICIES, 1_000, false);
    assert.deepEqual(kinds.lasting(1_000), POLICIES);
    assert.equal(kinds.nextAt(1_000), Number.POSITIVE_INFINITY);
  });

  it('count after a minute where they could be read before', () => {
    const kinds = new UnreadableKinds();
    kinds.told(POLICIES, 1_000, true);
    assert.deepEqual(kinds.lasting(60_999), new Set());
    assert.equal(kinds.nextAt(1_000), 61_000);
    assert.deepEqual(kinds.lasting(61_000), POLICIES);
  });

  it('begin anew when they could be read in between, and are not begun anew by being told again', () => {
    const kinds = new UnreadableKinds();
    kinds.told(POLICIES, 1_000, true);
    kinds.told(POLICIES, 50_000, true);
    assert.deepEqual(kinds.lasting(61_000), POLICIES);
    kinds.told(new Set(), 62_000, true);
    assert.deepEqual(kinds.lasting(62_000), new Set());
    kinds.told(POLICIES, 63_000, true);
    assert.deepEqual(kinds.lasting(100_000), new Set());
  });
});
