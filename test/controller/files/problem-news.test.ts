import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProblemNews } from '../../../controller/files/problem-news.ts';

const A = { subject: 'f', reason: 'a' };
const B = { subject: 'f', reason: 'b' };

test('a problem is news once while it lasts, and again when it comes back', () => {
  const news = new ProblemNews();
  assert.deepEqual(news.of('f', [A]), [A]);
  assert.deepEqual(news.of('f', [A, B]), [B]);
  assert.deepEqual(news.of('g', [A]), [A]);
  assert.deepEqual(news.of('f', []), []);
  assert.deepEqual(news.of('f', [A]), [A]);
});
