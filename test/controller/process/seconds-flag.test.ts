import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSeconds } from '../../../controller/process/seconds-flag.ts';

for (const [text, seconds] of [
  ['60', 60],
  ['0', 0],
  ['0.5s', 0.5],
  [' 5s ', 5],
] as const) {
  test(`"${text}" is ${seconds} seconds`, () => assert.equal(parseSeconds(text), seconds));
}

for (const text of ['', ' ', 's', '-1', '5m', 'Infinity', 'five']) {
  test(`"${text}" is refused`, () => assert.throws(() => parseSeconds(text), /must be a number of seconds/));
}
