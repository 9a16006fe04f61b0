/**
 * The product's reader of access log messages and a slow one agree on every input. `FUZZ_RUNS` tells how many inputs are
 * tried (2,000 by default); what was found once is in `corpus.txt` and tried each time.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeAccessLogs } from '../../../../controller/wire/access-log-decoder.ts';
import { messageType } from '../../../../controller/wire/messages.ts';
import { hostileMessage } from './hostile-message.ts';
import { type Reference, referenceDecode, SpecificationReader } from './reference-decoder.ts';

const NODE = 'egress~10.1.0.9~egress-0.lazyscope~lazyscope.svc.cluster.local';
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2_000);
const MESSAGE = messageType('envoy.service.accesslog.v3.StreamAccessLogsMessage');

/** What the product reads, in the reference's form. */
function read(bytes: Buffer): Reference {
  const { unreadable, problems, ...rest } = decodeAccessLogs(bytes, NODE);
  assert.ok(problems.length <= 10);
  assert.equal(problems.length > 0, rest.skipped > 0, 'what is skipped is named, and only that');
  for (const { subject, reason } of problems) assert.doesNotMatch(subject + reason, /\p{Cc}/u);
  return { isReadable: unreadable === undefined, ...rest };
}

function check(bytes: Buffer): Reference {
  const found = read(bytes);
  assert.deepEqual(found, referenceDecode(bytes, NODE));
  return found;
}

function isWholeMessage(bytes: Buffer): boolean {
  try {
    MESSAGE.decode(new SpecificationReader(bytes));
    return true;
  } catch {
    return false;
  }
}

test('any bytes are read as protobufjs reads them', () => {
  const seen = { readable: 0, whole: 0, entries: 0, refusals: 0, skipped: 0 };
  fc.assert(
    fc.property(hostileMessage, (bytes) => {
      const found = check(bytes);
      if (isWholeMessage(bytes)) {
        seen.whole += 1;
        assert.ok(found.isReadable, 'what the full decoder takes is readable');
      }
      seen.readable += found.isReadable ? 1 : 0;
      seen.entries += found.entries.length;
      seen.refusals += found.refusals?.size ?? 0;
      seen.skipped += found.skipped;
    }),
    { numRuns: RUNS },
  );
  // A generator that makes nothing that can be read would prove nothing.
  for (const [what, count] of Object.entries(seen)) assert.ok(count > RUNS / 200, `${what}: ${count} of ${RUNS}`);
});

const corpus = readFileSync(join(import.meta.dirname, 'corpus.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(': ') as [string, string]);

for (const [name, hex] of corpus) {
  test(`${name} is read as protobufjs reads it, whole and cut at every byte`, () => {
    const bytes = Buffer.from(hex, 'hex');
    for (let length = 0; length <= bytes.length; length += 1) check(bytes.subarray(0, length));
  });
}
