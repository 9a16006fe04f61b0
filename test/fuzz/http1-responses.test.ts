import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http1Observer } from '../../egress/http1-observer.ts';
import { readCorpus } from './support/corpus.ts';
import { HTTP1_WORDS } from './support/http1-requests.ts';
import { readResponses } from './support/llhttp.ts';
import { mutatedInputs } from './support/mutated.ts';
import { type FuzzInput, forEachInput, piecesOf, singleBytes } from './support/runs.ts';

const CORPUS = readCorpus('http1-responses', 'latin1');
const RESPONSE_WORDS = [
  ...HTTP1_WORDS,
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n',
  'HTTP/1.1 204 No Content\r\n',
  'HTTP/1.1 304 Not Modified\r\n',
  'HTTP/1.0 200 OK\r\n',
];

/** What was asked before the responses come. */
const ASKED: readonly (readonly string[])[] = [
  ['GET', 'GET', 'GET', 'GET', 'GET'],
  ['HEAD', 'GET'],
  ['CONNECT'],
  ['UPGRADE'],
  [],
];

function observerThatAsked(methods: readonly string[]): Http1Observer {
  const observer = new Http1Observer();
  for (const method of methods) {
    observer.admit({ method, host: '', framing: 0, isLast: false, asksTunnel: /CONNECT|UPGRADE/.test(method) });
    observer.nextRequest(Buffer.alloc(0), 0);
  }
  return observer;
}

interface ObservedResponses {
  /** Behind the last byte of each final response. */
  readonly ends: readonly number[];
  readonly hasGivenUp: boolean;
  readonly isTunnel: boolean;
  readonly unanswered: number;
}

function observed(methods: readonly string[], pieces: readonly Buffer[]): ObservedResponses {
  const observer = observerThatAsked(methods);
  const ends: number[] = [];
  let at = 0;
  for (const piece of pieces) {
    const before = observer.answered;
    observer.readResponses(piece);
    at += piece.length;
    for (let count = before; count < observer.answered; count += 1) ends.push(at);
  }
  const { hasGivenUp, isTunnel, unanswered } = observer;
  return { ends, hasGivenUp, isTunnel, unanswered };
}

/** Wherever the library accepts a response that was seen to end, it sees the same end. */
function compare({ ends, hasGivenUp, isTunnel }: ObservedResponses, bytes: Buffer, methods: readonly string[]): void {
  const { messages, brokenAt = Number.POSITIVE_INFINITY, upgraded } = readResponses(bytes, methods);
  const final = messages.filter(({ status }) => status >= 200);
  for (const [at, end] of ends.entries()) {
    if (brokenAt < end) return;
    assert.equal(end, final[at]?.end, `where response ${at} ends`);
  }
  if (brokenAt < bytes.length || hasGivenUp) return;
  assert.equal(isTunnel, upgraded, 'whether another protocol follows');
  // The library knows no request for an upgrade.
  if (!isTunnel)
    assert.equal(ends.length, final.filter(({ end }) => end !== undefined).length, 'every response is seen');
}

function checkResponses(input: FuzzInput, methods: readonly string[]): void {
  const exact = observed(methods, singleBytes(input.bytes));
  const { ends, ...inPieces } = observed(methods, piecesOf(input));
  assert.deepEqual({ ends: ends.length, ...inPieces }, { ...exact, ends: exact.ends.length }, 'however they are cut');
  compare(exact, input.bytes, methods);
}

for (const [name, bytes] of CORPUS) {
  test(`responses of the corpus end where Node's own parser says so: ${name}`, () => {
    for (const methods of ASKED) checkResponses({ bytes, cuts: [] }, methods);
  });
}

for (const methods of ASKED) {
  test(`any responses to ${methods.join(', ') || 'nothing'} end where Node's own parser says so if it accepts them`, () => {
    forEachInput(mutatedInputs(CORPUS.values(), RESPONSE_WORDS), (input) => checkResponses(input, methods));
  });
}
