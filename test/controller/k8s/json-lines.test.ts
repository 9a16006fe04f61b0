import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonLines } from '../../../controller/k8s/json-lines.ts';

test('gives the values of lines however the bytes are cut', () => {
  const values = fc.array(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.record({ a: fc.string() }, { noNullPrototype: true })),
  );
  fc.assert(
    fc.property(values, fc.array(fc.nat(40)), (written, sizes) => {
      const bytes = Buffer.from(written.map((value) => `${JSON.stringify(value)}\n`).join(''));
      const lines = new JsonLines(10_000);
      const read: unknown[] = [];
      let from = 0;
      for (const size of [...sizes, bytes.length]) {
        read.push(...lines.push(bytes.subarray(from, from + size)));
        from += size;
      }
      assert.deepEqual(read, written);
    }),
  );
});

test('empty lines are no values, and a line without an end is none yet', () => {
  const lines = new JsonLines(100);
  assert.deepEqual(lines.push(Buffer.from('\n{"a":1}\r\n\n{"b"')), [{ a: 1 }]);
  assert.deepEqual(lines.push(Buffer.from(':2}\n')), [{ b: 2 }]);
});

test('refuses a line that is too long as soon as it is, not at its end', () => {
  const lines = new JsonLines(10);
  assert.deepEqual(lines.push(Buffer.from('"12345678"\n"123')), ['12345678']);
  assert.throws(() => lines.push(Buffer.from('4567890')), { code: 'InvalidBytes', message: /longer than 10 bytes/ });
});

test('refuses a line that is no JSON', () => {
  assert.throws(() => new JsonLines(100).push(Buffer.from('<html>\n')), { code: 'InvalidBytes' });
});
