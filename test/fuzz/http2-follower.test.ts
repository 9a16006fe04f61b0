import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Http2Follower } from '../../egress/http2-follower.ts';
import type { Complete } from '../../egress/name-completion.ts';
import { readCorpus } from './support/corpus.ts';
import { frame } from './support/http2-frames.ts';
import { mutatedInputs } from './support/mutated.ts';
import { Http2Judge, type Http2Request } from './support/nghttp2.ts';
import { type FuzzInput, fuzzParameters, piecesOf, singleBytes } from './support/runs.ts';

const CORPUS = readCorpus('http2', 'hex');
const DICTIONARY = [
  frame(0, 1, 1, Buffer.from('x')),
  frame(1, 5, 1, Buffer.from('828684410161', 'hex')),
  frame(1, 5, 3, Buffer.from('828684be', 'hex')),
  frame(3, 0, 1, Buffer.alloc(4)),
  frame(4, 1, 0, Buffer.alloc(0)),
  frame(6, 0, 0, Buffer.alloc(8)),
  frame(9, 4, 1, Buffer.alloc(0)),
  frame(250, 0, 0, Buffer.alloc(3)),
  '\0\0\0',
  '\xbe',
  '\x41\x01a',
  '\x20',
];
const completesNothing: Complete = () => undefined;
const completesShortNames: Complete = (name) => (/^[a-z]$/i.test(name) ? `${name}.shop` : undefined);
const judge = new Http2Judge();

interface Followed {
  readonly sent: Buffer;
  readonly hasGivenUp: boolean;
  readonly isAborted: boolean;
}

function follow(pieces: readonly Buffer[], complete: Complete): Followed {
  const sent: Buffer[] = [];
  let isAborted = false;
  const owner = {
    forward: (bytes: Buffer) => void sent.push(bytes),
    onRequest: () => assert.fail('HTTP/2 requests are not told'),
    abort: () => {
      isAborted = true;
    },
  };
  const follower = new Http2Follower(owner, complete);
  for (const piece of pieces) follower.fromClient(piece);
  const { hasGivenUp } = follower;
  follower.clientEnded();
  return { sent: Buffer.concat(sent), hasGivenUp, isAborted };
}

function completed({ stream, fields }: Http2Request): Http2Request {
  const isForProxy = fields.includes('CONNECT') && !fields.includes(':protocol');
  const isName = (at: number): boolean => at % 2 === 1 && /^(:authority|host)$/.test(fields[at - 1] ?? '');
  const complete = (text: string, at: number): string => (isName(at) ? (completesShortNames(text) ?? text) : text);
  return { stream, fields: isForProxy ? fields : fields.map(complete) };
}

async function checkFollower(input: FuzzInput): Promise<void> {
  const { bytes } = input;
  const untouched = follow(piecesOf(input), completesNothing);
  assert.deepEqual([untouched.sent.equals(bytes), untouched.isAborted], [true, false], 'no byte is changed or lost');
  const exact = follow(singleBytes(bytes), completesShortNames);
  const inPieces = follow(piecesOf(input), completesShortNames);
  // Of what is aborted, more or less was sent before.
  if (exact.isAborted) assert.ok(inPieces.isAborted);
  else assert.deepEqual(inPieces, exact, 'however it is cut');
  if (exact.hasGivenUp) assert.ok(exact.sent.equals(bytes), 'what is not understood passes as it is');
  const before = await judge.judge(bytes);
  if (!before.isAlive) return;
  assert.equal(exact.isAborted, false, 'nghttp2 goes on');
  const after = await judge.judge(exact.sent);
  assert.deepEqual(after, { isAlive: true, requests: before.requests.map(completed) });
}

for (const [name, bytes] of CORPUS) {
  test(`a connection of the corpus says to nghttp2 what it said, but for names that are completed: ${name}`, () =>
    checkFollower({ bytes, cuts: [] }));
}

test('any connection says to nghttp2 what it said, but for names that are completed, however it is cut', async () => {
  const inputs = mutatedInputs(CORPUS.values(), DICTIONARY);
  await fc.assert(fc.asyncProperty(inputs, checkFollower), fuzzParameters<[FuzzInput]>());
});
