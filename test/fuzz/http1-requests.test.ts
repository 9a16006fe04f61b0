import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_HEAD_BYTES } from '../../egress/http1-messages.ts';
import { Http1Observer } from '../../egress/http1-observer.ts';
import { readCorpus } from './support/corpus.ts';
import { HTTP1_WORDS, type ObservedRequests, observeRequests, referenceHost } from './support/http1-requests.ts';
import { type ReferenceReading, readRequests } from './support/llhttp.ts';
import { mutatedInputs } from './support/mutated.ts';
import { type FuzzInput, forEachInput, piecesOf, singleBytes } from './support/runs.ts';

const CORPUS = readCorpus('http1-requests', 'latin1');

const observed = (pieces: readonly Buffer[]): ObservedRequests => observeRequests(new Http1Observer(), pieces);

/** Wherever the library accepts a message that was observed, both see the same: whom it names, and where it ends. */
function compare({ requests, hasGivenUp, awaitsTunnel }: ObservedRequests, reference: ReferenceReading): void {
  const { messages, brokenAt = Number.POSITIVE_INFINITY } = reference;
  for (const [at, { method, host, headEnd, end }] of requests.entries()) {
    const message = messages[at];
    if (brokenAt < headEnd) return;
    assert.ok(message, `a request that the library does not see: ${method} ${host}, head to ${headEnd}`);
    const seen = { method: message.method, host: referenceHost(message), headEnd: message.headEnd };
    assert.deepEqual({ method, host, headEnd }, seen);
    if (end !== undefined && brokenAt >= end) assert.equal(end, message.end, 'where the message ends');
    if (end === undefined && !hasGivenUp) assert.equal(message.end, undefined, 'a message that has not ended');
  }
  assert.ok(!reference.upgraded || awaitsTunnel || hasGivenUp, 'another protocol, which goes on to be read as HTTP/1');
  if (!hasGivenUp && !awaitsTunnel) assert.equal(requests.length, messages.length, 'every request is seen');
}

function checkRequests(input: FuzzInput): void {
  const whole = observed([input.bytes]);
  const { held, ...inPieces } = observed(piecesOf(input));
  assert.deepEqual({ ...inPieces, held: whole.held }, whole, 'however it is cut');
  assert.ok(held <= MAX_HEAD_BYTES + 3, `${held} bytes are held`);
  compare(whole, readRequests(input.bytes));
}

for (const [name, bytes] of CORPUS) {
  test(`requests of the corpus are observed as Node's own parser reads them: ${name}`, () => {
    checkRequests({ bytes, cuts: [] });
    const { held: _, ...byteByByte } = observed(singleBytes(bytes));
    const { held: __, ...whole } = observed([bytes]);
    assert.deepEqual(byteByByte, whole);
  });
}

test("any requests are observed as Node's own parser reads them if it accepts them, however they are cut", () => {
  forEachInput(mutatedInputs(CORPUS.values(), HTTP1_WORDS), checkRequests);
});
