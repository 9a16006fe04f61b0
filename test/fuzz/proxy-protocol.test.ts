import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from '../../egress/proxy-protocol.ts';
import { readCorpus } from './support/corpus.ts';
import { mutatedInputs } from './support/mutated.ts';
import { readReferenceHeader } from './support/proxy-reference.ts';
import { type FuzzInput, forEachInput, piecesOf, singleBytes } from './support/runs.ts';

const CORPUS = readCorpus('proxy-protocol', 'hex');
const DICTIONARY = [
  '\r\n\r\n\0\r\nQUIT\n',
  '\x21\x11\0\x0c',
  '\x21\x21\0\x24',
  '\x20\0\0\0',
  '\x10\0',
  '\x0f\xff',
  '\x10\x01',
  '\xff\xff',
  'PROXY TCP4 ',
  '\r\n',
];

/** What is read when the bytes come in these pieces, and how many had come by then. */
function readInPieces(pieces: readonly Buffer[]) {
  let bytes = Buffer.alloc(0);
  for (const piece of pieces) {
    bytes = Buffer.concat([bytes, piece]);
    const header = parseProxyHeader(bytes);
    if (header.kind !== 'Incomplete') return header;
  }
  return parseProxyHeader(bytes);
}

function checkHeader(input: FuzzInput): void {
  const { bytes } = input;
  const header = parseProxyHeader(bytes);
  assert.deepEqual(readInPieces(piecesOf(input)), header, 'however it is cut');
  const reference = readReferenceHeader(bytes);
  if (header.kind === 'Incomplete') assert.ok(bytes.length < MAX_PROXY_HEADER_BYTES, 'waits for ever');
  if (header.kind === 'Complete') {
    assert.deepEqual({ kind: 'Complete', ...reference }, header, 'as the reference reads it');
    assert.ok(header.length <= bytes.length && header.length <= MAX_PROXY_HEADER_BYTES);
    const exact = bytes.subarray(0, header.length);
    assert.deepEqual(parseProxyHeader(exact), header, 'what follows does not matter');
    assert.equal(parseProxyHeader(exact.subarray(0, -1)).kind, 'Incomplete');
  } else if (reference) {
    assert.ok(
      reference.length > MAX_PROXY_HEADER_BYTES,
      `refused, though the reference reads ${reference.length} bytes`,
    );
  }
}

for (const [name, bytes] of CORPUS) {
  test(`a PROXY header of the corpus is read as by the reference: ${name}`, () => {
    checkHeader({ bytes, cuts: [] });
    assert.deepEqual(readInPieces(singleBytes(bytes)), parseProxyHeader(bytes));
  });
}

test('any PROXY header is read as by the reference, however it is cut, in no more bytes than the longest one has', () => {
  forEachInput(mutatedInputs(CORPUS.values(), DICTIONARY), checkHeader);
});
