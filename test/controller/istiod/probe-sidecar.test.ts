import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markOf, nextMark } from '../../../controller/istiod/probe-sidecar.ts';

const NEXT = [
  { title: 'the first mark where none is known', last: undefined, shown: [], next: 20_001 },
  { title: 'a restarted probe goes on after what istiod shows', last: undefined, shown: [20_007], next: 20_008 },
  { title: 'a mark that istiod still shows is passed over', last: 20_007, shown: [20_008, 20_009], next: 20_010 },
  { title: 'the last port is followed by the first', last: 59_999, shown: [], next: 20_000 },
];

for (const { title, last, shown, next } of NEXT) {
  test(title, () => assert.equal(nextMark(last, new Set(shown)), next));
}

test('only inbound clusters without a service are marks', () => {
  assert.equal(markOf('inbound|20001||'), 20_001);
  for (const name of ['InboundPassthroughCluster', 'outbound|20001||a.b', 'inbound|20001||a.b', 'inbound|x||']) {
    assert.equal(markOf(name), undefined, name);
  }
});
