import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeConnection } from '../egress/support/fake-connection.ts';
import { readCorpus } from './support/corpus.ts';
import { HTTP1_WORDS, referenceHost } from './support/http1-requests.ts';
import { readRequests } from './support/llhttp.ts';
import { mutatedInputs } from './support/mutated.ts';
import { type FuzzInput, forEachInput, piecesOf, singleBytes } from './support/runs.ts';

const CORPUS = readCorpus('http1-requests', 'latin1');
const ANSWER = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n', 'latin1');

interface Relayed {
  /** Whom the bytes went to, in order. */
  readonly sent: FakeConnection['sent'];
  /** How many had gone when the gate stopped reading along; all of them where it never did. */
  readonly readAlong: number;
  /** A request for another upstream waits behind one after which the connection is to be closed: it goes nowhere. */
  readonly isLost: boolean;
}

/** Relays these bytes, which come to an upstream for `a`; servers answer only when the gate waits for that. */
function relayed(pieces: readonly Buffer[]): Relayed {
  const connection = new FakeConnection();
  const { gate } = connection;
  connection.attached = 'a';
  let readAlong = Number.POSITIVE_INFINITY;
  let replaced = 0;
  for (const piece of pieces) {
    const before = connection.text.length;
    gate.fromClient(piece);
    for (let tries = 0; gate.isBlocked && connection.lostRequests === 0; tries += 1) {
      assert.ok(tries < 10_000, 'waits for ever');
      if (connection.replacements > replaced) {
        replaced = connection.replacements;
        gate.proceed();
      } else gate.fromUpstream(ANSWER);
    }
    if (gate.isTransparent) readAlong = Math.min(readAlong, before);
  }
  gate.clientEnded();
  return { sent: connection.sent, readAlong, isLost: connection.lostRequests > 0 };
}

function checkGate(input: FuzzInput): void {
  const { bytes } = input;
  const exact = relayed(singleBytes(bytes));
  assert.deepEqual(relayed(piecesOf(input)).sent, exact.sent, 'however they are cut');
  const sent = exact.sent.map(({ text }) => text).join('');
  const expected = bytes.toString('latin1', 0, exact.isLost ? sent.length : undefined);
  assert.equal(sent, expected, 'no byte is changed or lost');
  const { messages, brokenAt = Number.POSITIVE_INFINITY } = readRequests(bytes);
  let start = 0;
  for (const message of messages) {
    const { headEnd, end = bytes.length } = message;
    if (headEnd > Math.min(sent.length, exact.readAlong, brokenAt)) return;
    const hosts = hostsBetween(exact.sent, start, Math.min(end, exact.readAlong, brokenAt));
    assert.deepEqual(hosts, [referenceHost(message)], 'a request goes to whom it names, and to nobody else');
    start = end;
  }
}

/** Whom these bytes went to. */
function hostsBetween(sent: Relayed['sent'], start: number, end: number): string[] {
  let at = 0;
  const hosts: string[] = [];
  for (const { host, text } of sent) {
    if (at < end && at + text.length > start) hosts.push(host);
    at += text.length;
  }
  return hosts;
}

for (const [name, bytes] of CORPUS) {
  test(`requests of the corpus go to whom Node's own parser says they name: ${name}`, () => {
    checkGate({ bytes, cuts: [] });
  });
}

test('any bytes pass unchanged, and those of a request to whom it names alone, however they are cut', () => {
  forEachInput(mutatedInputs(CORPUS.values(), HTTP1_WORDS), checkGate);
});
