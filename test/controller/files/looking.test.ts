import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restAfter } from '../../../controller/files/looking.ts';

test('looking takes a tenth of the time', () => assert.equal(Math.round(restAfter(20)), 180));

test('a look that took a minute delays the next change by 5 s at most', () => assert.equal(restAfter(60_000), 5_000));
