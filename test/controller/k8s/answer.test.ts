/** How an answer is read, from a server that we write ourselves: what goes wrong halfway. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { LazyscopeError } from '../../../controller/core/error.ts';
import { readChunks } from '../../../controller/k8s/answer.ts';
import { clusterOf } from './cluster-of.ts';

const LONG_MS = 10_000;

/** The head of an answer that is written so. */
async function answerOf(t: TestContext, write: (response: ServerResponse) => void): Promise<IncomingMessage> {
  const cluster = await clusterOf(t, (_request, response) => write(response));
  return cluster.open({ method: 'GET', path: '/', intent: { verb: 'list', resource: 'pods', namespace: '' } });
}

/** Everything that came before the end, or before the error. */
async function read(response: IncomingMessage, timeout = LONG_MS): Promise<{ text: string; error: unknown }> {
  let text = '';
  const error = await readChunks(response, timeout, (chunk) => {
    text += chunk;
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { text, error };
}

test('an answer comes in order and as a whole, however many chunks it has', async (t) => {
  const chunks = Array.from({ length: 5_000 }, (_, index) => `${index},`);
  const response = await answerOf(t, (to) => {
    for (const chunk of chunks) to.write(chunk);
    to.end();
  });
  assert.deepEqual(await read(response), { text: chunks.join(''), error: undefined });
});

test('an answer without a body has come', async (t) => {
  const response = await answerOf(t, (to) => to.writeHead(204).end());
  assert.deepEqual(await read(response), { text: '', error: undefined });
});

test('an answer that breaks off is no whole one', async (t) => {
  const response = await answerOf(t, (to) => to.write('half', () => to.destroy()));
  const { text, error } = await read(response);
  assert.equal(text, 'half');
  assert.ok(error instanceof Error);
});

test('what cannot be read ends the answer, with the reason', async (t) => {
  const reason = new LazyscopeError('InvalidBytes', 'that is no list');
  const response = await answerOf(t, (to) => to.write('nonsense'));
  let calls = 0;
  const reading = readChunks(response, LONG_MS, () => {
    calls += 1;
    throw reason;
  });
  await assert.rejects(reading, reason);
  assert.deepEqual([calls, response.destroyed], [1, true]);
});

test('an answer that stops is given up, one that goes on slowly is not', async (t) => {
  const stopped = await answerOf(t, (to) => to.write('half'));
  assert.match(String((await read(stopped, 50)).error), /nothing more within 0.05 s/);
  const slow = await answerOf(t, async (to) => {
    for (const chunk of 'slow') {
      to.write(chunk);
      await setTimeout(400);
    }
    to.end();
  });
  assert.deepEqual(await read(slow, 1_000), { text: 'slow', error: undefined });
});
