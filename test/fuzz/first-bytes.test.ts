import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FirstBytes } from '../../egress/first-bytes.ts';
import { MAX_HEAD_BYTES } from '../../egress/http1-messages.ts';
import type { Sight } from '../../egress/route.ts';
import { readCorpus } from './support/corpus.ts';
import { HTTP1_WORDS, referenceHost } from './support/http1-requests.ts';
import { readRequests } from './support/llhttp.ts';
import { mutatedInputs } from './support/mutated.ts';
import { type FuzzInput, forEachInput, piecesOf, singleBytes } from './support/runs.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const CORPUS = new Map([
  ...readCorpus('http1-requests', 'latin1'),
  ...[...readCorpus('client-hello', 'hex')].map(([name, bytes]) => [`a hello with ${name}`, bytes] as const),
  ...[...readCorpus('proxy-protocol', 'hex')].map(([name, bytes]) => [`a PROXY header with ${name}`, bytes] as const),
]);

interface Seen {
  readonly sight: Sight;
  /** Bytes that were needed to tell. */
  readonly length: number;
}

function look(pieces: readonly Buffer[]): Seen {
  const first = new FirstBytes();
  for (const piece of pieces) {
    const sight = first.add(piece);
    if (sight) return { sight, length: first.bytes.length };
  }
  return { sight: first.conclude(), length: first.bytes.length };
}

function checkSight(input: FuzzInput): void {
  const { bytes } = input;
  const { sight } = look([bytes]);
  assert.deepEqual(look(piecesOf(input)).sight, sight, 'however they are cut');
  const [first] = readRequests(bytes).messages;
  if (sight.protocol !== 'HTTP1' || sight.host === undefined) return;
  if (first) assert.equal(sight.host, referenceHost(first), 'whom the first request names');
}

for (const [name, bytes] of CORPUS) {
  test(`what a connection of the corpus is does not depend on how its bytes come: ${name}`, () => {
    checkSight({ bytes, cuts: [] });
    assert.deepEqual(look(singleBytes(bytes)).sight, look([bytes]).sight);
  });
}

test('what a connection is does not depend on how its bytes come', () => {
  const words = [...HTTP1_WORDS, PREFACE, '\x16\x03\x01', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n'];
  forEachInput(mutatedInputs([...CORPUS.values(), PREFACE], words), checkSight);
});

/** First bytes that say nothing for long, and what is made of them. */
const LONG: Record<string, readonly [Buffer, Sight]> = {
  'a head of just 64 KiB': [headOf(MAX_HEAD_BYTES), { protocol: 'HTTP1', host: 'a' }],
  'a head of more than 64 KiB': [headOf(MAX_HEAD_BYTES + 1), { protocol: 'HTTP1' }],
  'a head without end': [
    Buffer.concat([headOf(MAX_HEAD_BYTES).subarray(0, -4), Buffer.alloc(9, 'x')]),
    { protocol: 'HTTP1' },
  ],
  'a request line of more than 16 KiB': [Buffer.from(`GET /${'x'.repeat(17_000)}`), { protocol: 'TCP' }],
  'a hello of more than 64 KiB of records': [
    Buffer.concat([
      Buffer.from('16030100040100ffff', 'hex'),
      ...Array.from({ length: 12_000 }, () => Buffer.from('160301000100', 'hex')),
    ]),
    { protocol: 'TCP' },
  ],
};

function headOf(length: number): Buffer {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
  return Buffer.from(`${start}${'x'.repeat(length - start.length)}\r\n\r\n`);
}

for (const [name, [bytes, expected]] of Object.entries(LONG)) {
  test(`${name} is taken for ${expected.protocol}${expected.host ? ' with its host' : ''}, after no more than 64 KiB`, () => {
    for (const size of [bytes.length, 65_536, 10_000, 1_000]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      const { sight, length } = look(pieces);
      assert.deepEqual(sight, expected, `in packets of ${size}`);
      assert.ok(length < MAX_HEAD_BYTES + 4 + size, `${length} bytes are held`);
    }
  });
}
