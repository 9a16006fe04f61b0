import assert from 'node:assert/strict';
import { isIPv4 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ClientHello, parseClientHello } from '../../egress/client-hello.ts';
import { readCorpus } from './support/corpus.ts';
import { mutatedInputs } from './support/mutated.ts';
import { type HelloVerdict, TlsServer } from './support/openssl.ts';
import { type FuzzInput, forEachInput, fuzzParameters, piecesOf, singleBytes } from './support/runs.ts';

const CORPUS = readCorpus('client-hello', 'hex');
const DICTIONARY = [
  '\x16\x03\x01',
  '\x16\x03\x01\0\0',
  '\x16\x03\x01\0\x01\x01',
  '\x15\x03\x01\0\x02\x01\0',
  '\x17\x03\x03\0\x01x',
  '\0\0\0\x0e\0\x0c\0\0\x09b.example',
  '\xfe\x0d\0\x01\0',
  '\x0a\x0a\0\0',
  '\xff\xff',
  '\0\0',
];
/** Everything that is read comes in at most so many bytes: a hello of 64 KiB in records of one byte. */
const MAX_INCOMPLETE_BYTES = 6 * (4 + 64 * 1024);
const server = new TlsServer();

/** What OpenSSL names may be left out, but not the other way round: it has to be a DNS name to be reported. */
function isReportable(name: string): boolean {
  return name.length <= 253 && /^[\w-]+(\.[\w-]+)*\.?$/.test(name) && !isIPv4(name);
}

/** RFC 8446 section 5.1 forbids such records; OpenSSL takes some all the same. */
function hasEmptyRecord(bytes: Buffer): boolean {
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes.readUInt16BE(at + 3) === 0) return true;
  }
  return false;
}

function compare(bytes: Buffer, verdict: HelloVerdict): void {
  if (verdict.kind !== 'Accepted') return;
  const hello = parseClientHello(bytes);
  assert.equal(hello.kind, 'Tls', 'OpenSSL takes it for a hello');
  const named = hello.kind === 'Tls' ? hello.serverName : undefined;
  if (named === undefined && hasEmptyRecord(bytes)) return;
  const { serverName = '' } = verdict;
  assert.equal(named, isReportable(serverName) ? serverName : undefined);
}

/** Decided once, decided for good: as soon as enough bytes are there, whatever follows. */
function decided(pieces: readonly Buffer[]): ClientHello {
  let bytes = Buffer.alloc(0);
  for (const piece of pieces) {
    bytes = Buffer.concat([bytes, piece]);
    const hello = parseClientHello(bytes);
    if (hello.kind !== 'Incomplete') return hello;
  }
  return parseClientHello(bytes);
}

function checkPieces(input: FuzzInput): void {
  const hello = parseClientHello(input.bytes);
  assert.deepEqual(decided(piecesOf(input)), hello, 'however it is cut');
  if (hello.kind === 'Incomplete') assert.ok(input.bytes.length < MAX_INCOMPLETE_BYTES, 'waits for ever');
}

for (const [name, bytes] of CORPUS) {
  test(`a hello of the corpus names whom OpenSSL says it names: ${name}`, async () => {
    assert.deepEqual(decided(singleBytes(bytes)), parseClientHello(bytes));
    compare(bytes, await server.judge(bytes));
  });
}

test('any bytes are a hello or not, whatever they are cut into', () => {
  forEachInput(mutatedInputs(CORPUS.values(), DICTIONARY), checkPieces);
});

test('any hello that OpenSSL accepts names whom it says', async () => {
  const inputs = mutatedInputs(CORPUS.values(), DICTIONARY);
  const law = async ({ bytes }: FuzzInput): Promise<void> => {
    compare(bytes, await server.judge(bytes));
  };
  await fc.assert(fc.asyncProperty(inputs, law), fuzzParameters<[FuzzInput]>());
});

test('a hello of just 64 KiB is read in records of any size, a longer one is not waited for', () => {
  const hello = (length: number): Buffer => {
    const extensions = length - 4 - 2 - 32 - 1 - 2 - 1 - 2;
    const body = Buffer.alloc(length);
    body.writeUInt32BE(0x0100_0000 + length - 4);
    body.writeUInt16BE(extensions, length - extensions - 2);
    return body;
  };
  const inRecords = (message: Buffer, size: number): Buffer =>
    Buffer.concat(
      Array.from({ length: Math.ceil(message.length / size) }, (_, at) => {
        const part = message.subarray(at * size, (at + 1) * size);
        return Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]);
      }),
    );
  for (const size of [1, 1_000, 16_384]) {
    const longest = inRecords(hello(4 + 65_536), size);
    assert.equal(parseClientHello(longest).kind, 'Tls');
    assert.equal(parseClientHello(longest.subarray(0, -1)).kind, 'Incomplete', `in records of ${size}`);
    const longer = inRecords(hello(4 + 65_537), size).subarray(0, 200);
    assert.deepEqual(parseClientHello(longer), { kind: 'Tls' }, `in records of ${size}`);
  }
});
