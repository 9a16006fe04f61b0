import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HeaderBlock, HeaderField } from '../../egress/http2/header-block.ts';
import { HpackDecoder } from '../../egress/http2/hpack-decoder.ts';
import { encodeHeaderBlock } from '../../egress/http2/hpack-encoder.ts';
import { readCorpus } from './support/corpus.ts';
import { REQUEST_BLOCK, requestsOf } from './support/http2-frames.ts';
import { mutatedInputs } from './support/mutated.ts';
import { Http2Judge } from './support/nghttp2.ts';
import { type FuzzInput, fuzzParameters } from './support/runs.ts';

const CORPUS = readCorpus('hpack', 'hex');
const DICTIONARY = [
  '\x20',
  '\x3f\xe1\x1f',
  '\x40\x01a\x01b',
  '\0\x01a\x01b',
  '\x10\x01a\x01b',
  '\x41\x01a',
  '\xbe',
  '\xbf',
  '\x7f\0',
  '\xff\xff',
];
/** Fills two entries of the table. */
const FIRST = Buffer.concat([REQUEST_BLOCK, Buffer.from('4001780179400179017a', 'hex')]);
/** Names the newest two entries of the table, which tells what is in it. */
const LAST = Buffer.concat([REQUEST_BLOCK, Buffer.from('bebf', 'hex')]);
const judge = new Http2Judge();

/** Sizes stand before everything else. */
function withRequest(block: Buffer): Buffer {
  let sizes = 0;
  while (((block[sizes] ?? 0) & 0xe0) === 0x20) {
    const isLong = ((block[sizes] ?? 0) & 0x1f) === 0x1f;
    sizes += 1;
    if (isLong) while (sizes < block.length && (block[sizes++] ?? 0) >= 0x80);
  }
  return Buffer.concat([block.subarray(0, sizes), REQUEST_BLOCK, block.subarray(sizes)]);
}

/** nghttp2 leaves other fields out: RFC 9113 section 8.2.1, and RFC 3986 section 3.2 for Host. */
function isValid({ name, value }: HeaderField): boolean {
  if (name === 'host' && !/^[\w.~!$&'()*+,;=%:@[\]-]*$/.test(value)) return false;
  return /^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && /^[\t -~\x80-\xff]*$/.test(value) && !/^[ \t]|[ \t]$/.test(value);
}

/** Our reading of blocks one after another; shorter where one was malformed. */
function decodeAll(blocks: readonly Buffer[]): readonly HeaderBlock[] {
  const decoder = new HpackDecoder();
  const decoded: HeaderBlock[] = [];
  for (const block of blocks) {
    const read = decoder.decode(block);
    if (!read) break;
    decoded.push(read);
  }
  return decoded;
}

async function checkBlock({ bytes }: FuzzInput): Promise<void> {
  const blocks = [FIRST, withRequest(bytes), LAST];
  const decoded = decodeAll(blocks);
  const { requests, isAlive } = await judge.judge(requestsOf(blocks));
  if (isAlive) assert.equal(decoded.length, blocks.length, 'nghttp2 decodes it');
  for (const { stream, fields } of requests) {
    const ours = decoded[(stream - 1) / 2]?.fields.filter(isValid);
    assert.deepEqual(
      ours?.flatMap(({ name, value }) => [name, value]),
      fields,
    );
  }
  for (const block of decoded) {
    assert.deepEqual(new HpackDecoder().decode(encodeHeaderBlock(block)), block, 'and encoded again');
  }
}

for (const [name, bytes] of CORPUS) {
  test(`a header block of the corpus is decoded as nghttp2 does: ${name}`, () => checkBlock({ bytes, cuts: [] }));
}

test('any header block is decoded as nghttp2 does, and leaves the same table', async () => {
  const inputs = mutatedInputs(CORPUS.values(), DICTIONARY);
  await fc.assert(fc.asyncProperty(inputs, checkBlock), fuzzParameters<[FuzzInput]>());
});
