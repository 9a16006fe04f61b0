import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMode } from '../../../../controller/wire/kubernetes/mode.ts';

const KNOWN = [
  ['Off', 'Off'],
  ['off', 'Off'],
  ['OBSERVE', 'Observe'],
  [' enforce ', 'Enforce'],
] as const;

for (const [text, mode] of KNOWN) {
  test(`the annotation "${text}" means ${mode}`, () => {
    assert.deepEqual(readMode({ 'lazyscope.io/mode': text }, 'Pod shop/cart'), { mode: { mode }, problems: [] });
  });
}

for (const annotations of [undefined, null, {}, { 'lazyscope.io/mode': null }]) {
  test(`${JSON.stringify(annotations)} is no mode and no problem`, () => {
    assert.deepEqual(readMode(annotations, 'Pod shop/cart'), { mode: {}, problems: [] });
  });
}

test('an unknown mode is ignored, and the problem names object, annotation and the words that are allowed', () => {
  assert.deepEqual(readMode({ 'lazyscope.io/mode': 'on' }, 'Pod shop/cart'), {
    mode: {},
    problems: [
      {
        subject: 'Pod shop/cart',
        reason: 'annotation lazyscope.io/mode is "on" and was ignored: write one of Off, Observe, Enforce',
      },
    ],
  });
});
