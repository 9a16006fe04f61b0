import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HeaderField } from '../../../egress/http2/header-block.ts';
import { HpackDecoder } from '../../../egress/http2/hpack-decoder.ts';
import { encodeHeaderBlock } from '../../../egress/http2/hpack-encoder.ts';
import { decodeHuffman } from '../../../egress/http2/huffman.ts';
import { STATIC_TABLE } from '../../../egress/http2/static-table.ts';

const REQUEST = [':method GET', ':scheme http', ':path /', ':authority www.example.com'];
const SECURE = [':method GET', ':scheme https', ':path /index.html', ':authority www.example.com'];
const DATE = 'date Mon, 21 Oct 2013 20:13:21 GMT';
const RESPONSE = ['cache-control private', DATE, 'location https://www.example.com'];
const LAST_RESPONSE = [
  ':status 200',
  'cache-control private',
  'date Mon, 21 Oct 2013 20:13:22 GMT',
  'location https://www.example.com',
  'content-encoding gzip',
  'set-cookie foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
];

/** RFC 7541 Appendix C: blocks one after another, and what they say. */
const VECTORS: Record<string, readonly (readonly [string, readonly string[]])[]> = {
  'C.2.1 to C.2.4': [
    ['400a637573746f6d2d6b65790d637573746f6d2d686561646572', ['custom-key custom-header']],
    ['040c2f73616d706c652f70617468', [':path /sample/path']],
    ['100870617373776f726406736563726574', ['password secret (never indexed)']],
    ['82', [':method GET']],
  ],
  'C.3': [
    ['828684410f7777772e6578616d706c652e636f6d', REQUEST],
    ['828684be58086e6f2d6361636865', [...REQUEST, 'cache-control no-cache']],
    ['828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', [...SECURE, 'custom-key custom-value']],
  ],
  'C.4': [
    ['828684418cf1e3c2e5f23a6ba0ab90f4ff', REQUEST],
    ['828684be5886a8eb10649cbf', [...REQUEST, 'cache-control no-cache']],
    ['828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', [...SECURE, 'custom-key custom-value']],
  ],
  'C.5, with a table of 256 bytes': [
    [
      '3fe1014803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d',
      [':status 302', ...RESPONSE],
    ],
    ['4803333037c1c0bf', [':status 307', ...RESPONSE]],
    [
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
      LAST_RESPONSE,
    ],
  ],
  'C.6, with a table of 256 bytes': [
    [
      '3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
      [':status 302', ...RESPONSE],
    ],
    ['4883640effc1c0bf', [':status 307', ...RESPONSE]],
    [
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      LAST_RESPONSE,
    ],
  ],
};

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const shown = ({ name, value, isNeverIndexed }: HeaderField): string =>
  `${name} ${value}${isNeverIndexed ? ' (never indexed)' : ''}`;

for (const [name, blocks] of Object.entries(VECTORS)) {
  test(`decodes the examples of RFC 7541 ${name}, and encodes them so that no block needs another`, () => {
    const decoder = new HpackDecoder();
    for (const [bytes, fields] of blocks) {
      const block = decoder.decode(hex(bytes));
      assert.ok(block);
      assert.deepEqual(block.fields.map(shown), fields);
      const again = new HpackDecoder().decode(encodeHeaderBlock(block));
      assert.deepEqual(again, block);
    }
  });
}

test('the table is emptied by an entry that is larger, and by a size of 0', () => {
  const decoder = new HpackDecoder();
  const large = encodeHeaderBlock({ tableSizes: [64], fields: [] }).toString('hex');
  const add = `40016101${Buffer.from('b').toString('hex')}`;
  assert.ok(decoder.decode(hex(`${large}${add}be`)));
  assert.ok(decoder.decode(hex('be')));
  assert.deepEqual(decoder.decode(hex(`400161${'1e'}${'62'.repeat(30)}`))?.fields[0]?.value.length, 30);
  assert.ok(decoder.decode(hex('be')));
  assert.ok(decoder.decode(hex(`400161${'28'}${'62'.repeat(40)}`)));
  assert.equal(decoder.decode(hex('be')), undefined);
  const other = new HpackDecoder();
  assert.ok(other.decode(hex(`${add}be`)));
  assert.ok(other.decode(hex('20')));
  assert.equal(other.decode(hex('be')), undefined);
});

test('new sizes of the table are told, and encoded again', () => {
  // Two would be enough to say all that there is to say: RFC 7541 section 4.2.
  const block = { tableSizes: [0, 65_536, 100], fields: [] };
  assert.deepEqual(new HpackDecoder().decode(encodeHeaderBlock(block)), block);
});

const MALFORMED: Record<string, string> = {
  'an index of 0': '80',
  'an index behind the table': 'be',
  'an index that does not end': 'ffffff',
  'an index of many bytes': 'ff80808080808000',
  'a huge index': 'ffffffffff0f',
  'a text that ends early': '4001610562',
  'a text without a length': '400161',
  'a Huffman code that ends a string': '40016184ffffffff',
  'padding of 8 bits': '4001618207ff',
  'padding of zeros': '4001618100',
  'a new size behind a field': '8220',
  'a table of more than 64 KiB': encodeHeaderBlock({ tableSizes: [65_537], fields: [] }).toString('hex'),
  'a list of more than 64 KiB, in a few bytes': `4001617fa11e${'62'.repeat(4_000)}${'be'.repeat(20)}`,
};

for (const [name, bytes] of Object.entries(MALFORMED)) {
  test(`does not decode ${name}`, () => {
    assert.equal(new HpackDecoder().decode(hex(bytes)), undefined);
  });
}

test('a list of just 64 KiB is decoded', () => {
  const field = (length: number): HeaderField => ({ name: 'a', value: 'b'.repeat(length), isNeverIndexed: false });
  const decode = (length: number) =>
    new HpackDecoder().decode(encodeHeaderBlock({ tableSizes: [], fields: [field(length)] }));
  assert.ok(decode(65_536 - 33));
  assert.equal(decode(65_536 - 32), undefined);
});

test('codes of every length are those of RFC 7541 Appendix B', () => {
  const codes: readonly (readonly [string, string])[] = [
    ['07', '0'],
    ['ffc7', '\x00'],
    ['fffffff3', '\n'],
    ['ffffffef', '\xf9'],
    ['fffffe2f', '\x02'],
  ];
  for (const [bytes, text] of codes) assert.equal(decodeHuffman(hex(bytes), 0, bytes.length / 2), text);
});

const PLAIN = { noNullPrototype: true } as const;
const anyText = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const anyField = fc.oneof(
  fc.record({ name: anyText, value: anyText, isNeverIndexed: fc.boolean() }, PLAIN),
  fc.record(
    {
      name: fc.constantFrom(...STATIC_TABLE.map(({ name }) => name)),
      value: fc.constantFrom('', 'GET', '/', 'gzip, deflate', 'other'),
      isNeverIndexed: fc.boolean(),
    },
    PLAIN,
  ),
);

test('any fields are decoded as they were encoded', () => {
  const tableSizes = fc.array(fc.nat(65_536), { maxLength: 2 });
  const anyBlock = fc.record({ tableSizes, fields: fc.array(anyField, { maxLength: 20 }) }, PLAIN);
  fc.assert(
    fc.property(anyBlock, (block) => {
      assert.deepEqual(new HpackDecoder().decode(encodeHeaderBlock(block)), block);
    }),
    { numRuns: 2_000 },
  );
});

test('any bytes are decoded, or said to be malformed', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder();
      for (const block of blocks) decoder.decode(Buffer.from(block));
    }),
    { numRuns: 5_000 },
  );
});
