import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecurringTexts } from '../../../controller/wire/recurring-texts.ts';

function reader() {
  let conversions = 0;
  const texts = new RecurringTexts((text) => {
    conversions += 1;
    return `<${text}>`;
  });
  const get = (text: string): string | undefined => {
    const bytes = Buffer.from(`before ${text} after`);
    return texts.get(bytes, 7, 7 + Buffer.byteLength(text));
  };
  return { get, conversions: () => conversions };
}

test('a text that comes again is converted once', () => {
  const { get, conversions } = reader();
  const before = conversions();
  for (let time = 0; time < 3; time += 1) assert.equal(get('10.0.0.1'), '<10.0.0.1>');
  assert.equal(conversions(), before + 1);
});

test('texts that share a place are never taken for each other', () => {
  const { get } = reader();
  const all = Array.from({ length: 50_000 }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  for (const text of [...all, ...all.slice(0, 1_000)]) assert.equal(get(text), `<${text}>`);
});

test('of a few thousand texts few are converted twice, as two may share a place', () => {
  const { get, conversions } = reader();
  const all = Array.from({ length: 4_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  for (let time = 0; time < 3; time += 1) for (const text of all) get(text);
  const again = conversions() - all.length;
  assert.ok(again < all.length / 6, `${again} conversions too many`);
});

test('texts that differ in their last bytes or in length alone are never taken for each other', () => {
  const { get } = reader();
  const all = Array.from({ length: 61 }, (_, length) => ['x', '\0'].map((last) => 'x'.repeat(length) + last)).flat();
  for (const text of [...all, ...all]) assert.equal(get(text), `<${text}>`);
});

test('bytes that are no UTF-8 are nothing, however often they come', () => {
  const texts = new RecurringTexts((text) => text);
  for (const bytes of [Buffer.from([0x61, 0xff]), Buffer.alloc(100, 0xff)]) {
    for (let time = 0; time < 2; time += 1) assert.equal(texts.get(bytes, 0, bytes.length), undefined);
  }
});

for (const [what, text] of [
  ['nothing', ''],
  ['the longest that is kept', 'x'.repeat(60)],
  ['one that is longer', 'x'.repeat(61)],
  ['one beyond ASCII', 'münchen.example'],
] as const) {
  test(`${what} comes out as it went in, twice`, () => {
    const { get } = reader();
    assert.deepEqual([get(text), get(text)], [`<${text}>`, `<${text}>`]);
  });
}
