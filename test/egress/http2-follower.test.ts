import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderField } from '../../egress/http2/header-block.ts';
import { type HeaderFrames, readHeaderFrames, writeHeaderFrames } from '../../egress/http2/header-frames.ts';
import { HpackDecoder } from '../../egress/http2/hpack-decoder.ts';
import { encodeHeaderBlock } from '../../egress/http2/hpack-encoder.ts';
import { Http2Follower } from '../../egress/http2-follower.ts';
import type { Complete } from '../../egress/name-completion.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const NO_BYTES = Buffer.alloc(0);
const SIZES = [1, 7, 100_000];

const complete: Complete = (name) => (name === 'cart' ? 'cart.shop' : undefined);

const [DATA, SETTINGS, PING, HEADERS, CONTINUATION] = [0, 4, 6, 1, 9];
const [END_STREAM, END_HEADERS, PADDED, PRIORITY] = [0x1, 0x4, 0x8, 0x20];

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

const field = (name: string, value: string, isNeverIndexed = false): HeaderField => ({ name, value, isNeverIndexed });
const fieldsFor = (authority: string, ...more: readonly HeaderField[]): readonly HeaderField[] => [
  field(':method', 'GET'),
  field(':path', '/'),
  field(':authority', authority),
  ...more,
];
const blockOf = (fields: readonly HeaderField[], ...tableSizes: readonly number[]): Buffer =>
  encodeHeaderBlock({ fields, tableSizes });

/** A request without a body. */
function request(authority: string, stream = 1, more: Partial<HeaderFrames> = {}): Buffer {
  return writeHeaderFrames({
    stream,
    endsStream: true,
    priority: NO_BYTES,
    block: blockOf(fieldsFor(authority)),
    ...more,
  });
}

interface Followed {
  readonly follower: Http2Follower;
  readonly sent: () => Buffer;
  readonly packets: readonly Buffer[];
  readonly aborted: readonly string[];
}

function follow(bytes: Buffer, size: number): Followed {
  const packets: Buffer[] = [];
  const aborted: string[] = [];
  const owner = {
    forward: (sent: Buffer) => void packets.push(sent),
    onRequest: () => assert.fail('HTTP/1'),
    abort: (reason: string) => void aborted.push(reason),
  };
  const follower = new Http2Follower(owner, complete);
  follower.begin(bytes.subarray(0, size));
  for (let at = size; at < bytes.length; at += size) follower.fromClient(bytes.subarray(at, at + size));
  return { follower, sent: () => Buffer.concat(packets), packets, aborted };
}

const LOOKS_LIKE_A_REQUEST = request('cart', 3);
const BETWEEN = Buffer.concat([
  frame(SETTINGS, 0, 0, Buffer.alloc(6)),
  frame(PING, 0, 0, Buffer.alloc(8)),
  frame(DATA, 0, 1, LOOKS_LIKE_A_REQUEST),
  frame(DATA, END_STREAM, 1, NO_BYTES),
  frame(0xee, 0xff, 0, LOOKS_LIKE_A_REQUEST),
]);
const LARGE = field('x', 'y'.repeat(40_000));
const PADDING = Buffer.alloc(5);
const PRIORITY_BYTES = Buffer.from([0, 0, 0, 3, 200]);

/** What passes as it came. */
const UNCHANGED: Record<string, Buffer> = {
  'names that say their namespace': Buffer.concat([request('cart.shop'), BETWEEN, request('cart.other', 5)]),
  'a name with padding and priority': frame(
    HEADERS,
    PADDED | PRIORITY | END_HEADERS,
    1,
    Buffer.concat([Buffer.from([5]), PRIORITY_BYTES, blockOf(fieldsFor('a.b')), PADDING]),
  ),
  'a large head in several frames': request('a.b', 1, { block: blockOf(fieldsFor('a.b', LARGE)) }),
  CONNECT: request('', 1, { block: blockOf([field(':method', 'CONNECT'), field(':authority', 'cart')]) }),
  trailers: request('', 1, { block: blockOf([field('grpc-status', '0')]) }),
};

for (const [name, bytes] of Object.entries(UNCHANGED)) {
  test(`passes on ${name} as it came`, () => {
    for (const size of SIZES) {
      const { follower, sent, aborted } = follow(Buffer.concat([PREFACE, bytes]), size);
      assert.deepEqual([sent().equals(Buffer.concat([PREFACE, bytes])), follower.isOver], [true, false]);
      assert.deepEqual(aborted, []);
    }
  });
}

/** What is sent, and what arrives. */
const CHANGED: Record<string, readonly [Buffer, Buffer]> = {
  'a name': [request('cart'), request('cart.shop')],
  'a name after others, and what follows': [
    Buffer.concat([request('a.b'), BETWEEN, request('cart', 3), BETWEEN, request('a.b', 5)]),
    Buffer.concat([request('a.b'), BETWEEN, request('cart.shop', 3), BETWEEN, request('a.b', 5)]),
  ],
  'a name behind padding and priority; the padding is dropped': [
    frame(
      HEADERS,
      PADDED | PRIORITY | END_HEADERS,
      1,
      Buffer.concat([Buffer.from([5]), PRIORITY_BYTES, blockOf(fieldsFor('cart')), PADDING]),
    ),
    request('cart.shop', 1, { endsStream: false, priority: PRIORITY_BYTES }),
  ],
  'a name cut by CONTINUATION': [
    Buffer.concat([
      frame(HEADERS, END_STREAM, 1, blockOf(fieldsFor('cart')).subarray(0, 4)),
      frame(CONTINUATION, 0, 1, NO_BYTES),
      frame(CONTINUATION, END_HEADERS, 1, blockOf(fieldsFor('cart')).subarray(4)),
    ]),
    request('cart.shop'),
  ],
  'a name in 128 frames': [
    Buffer.concat([
      frame(HEADERS, END_STREAM, 1, blockOf(fieldsFor('cart'))),
      ...Array.from({ length: 126 }, () => frame(CONTINUATION, 0, 1, NO_BYTES)),
      frame(CONTINUATION, END_HEADERS, 1, NO_BYTES),
    ]),
    request('cart.shop'),
  ],
  'a name in a large head': [
    request('cart', 1, { block: blockOf(fieldsFor('cart', LARGE)) }),
    request('cart.shop', 1, { block: blockOf(fieldsFor('cart.shop', LARGE)) }),
  ],
  'a name in Host': [
    request('', 1, { block: blockOf([field('host', 'cart')]) }),
    request('', 1, { block: blockOf([field('host', 'cart.shop')]) }),
  ],
  'that of a WebSocket, which is asked for by CONNECT': [
    request('', 1, {
      block: blockOf([field(':method', 'CONNECT'), field(':protocol', 'websocket'), field(':authority', 'cart')]),
    }),
    request('', 1, {
      block: blockOf([field(':method', 'CONNECT'), field(':protocol', 'websocket'), field(':authority', 'cart.shop')]),
    }),
  ],
  'and keeps sizes of the table and fields that must not be indexed': [
    request('', 1, { block: blockOf(fieldsFor('cart', field('secret', 's', true)), 0, 100) }),
    request('', 1, { block: blockOf(fieldsFor('cart.shop', field('secret', 's', true)), 0, 100) }),
  ],
};

for (const [name, [bytes, expected]] of Object.entries(CHANGED)) {
  test(`completes ${name}`, () => {
    for (let size = 1; size <= Math.min(bytes.length, 300); size += 1) {
      const { sent, aborted } = follow(Buffer.concat([PREFACE, bytes]), size);
      assert.ok(sent().equals(Buffer.concat([PREFACE, expected])), `in packets of ${size}`);
      assert.deepEqual(aborted, []);
    }
  });
}

test('a block that names what an earlier one put into the table still says the same after the first completed name', () => {
  const indexed = Buffer.from('40016101624001630164', 'hex');
  const entries = Buffer.from('bebf', 'hex');
  const bytes = Buffer.concat([
    PREFACE,
    request('', 1, { block: Buffer.concat([blockOf(fieldsFor('a.b')), indexed]) }),
    request('cart', 3),
    request('', 5, { block: Buffer.concat([blockOf(fieldsFor('a.b')), entries]) }),
  ]);
  const sent = follow(bytes, 10).sent();
  const decoder = new HpackDecoder();
  const said: string[] = [];
  for (let at = PREFACE.length; at < sent.length; ) {
    const read = readHeaderFrames(sent, at);
    assert.ok(read.kind === 'Complete');
    const block = decoder.decode(read.frames.block);
    said.push((block?.fields ?? []).map(({ name, value }) => `${name}=${value}`).join(' '));
    at = read.end;
  }
  assert.deepEqual(said, [
    ':method=GET :path=/ :authority=a.b a=b c=d',
    ':method=GET :path=/ :authority=cart.shop',
    ':method=GET :path=/ :authority=a.b c=d a=b',
  ]);
});

const NOT_UNDERSTOOD: Record<string, Buffer> = {
  'a header block that is malformed': frame(HEADERS, END_HEADERS, 3, Buffer.from('ff', 'hex')),
  'CONTINUATION of nothing': frame(CONTINUATION, END_HEADERS, 3, NO_BYTES),
  'another frame inside a header block': Buffer.concat([
    frame(HEADERS, 0, 3, NO_BYTES),
    frame(PING, 0, 0, Buffer.alloc(8)),
  ]),
  'another stream inside a header block': Buffer.concat([
    frame(HEADERS, 0, 3, NO_BYTES),
    frame(CONTINUATION, END_HEADERS, 5, NO_BYTES),
  ]),
  'a header block of no stream': frame(HEADERS, END_HEADERS, 0, blockOf(fieldsFor('cart'))),
  'more than 128 frames of one header block': Buffer.concat([
    frame(HEADERS, 0, 3, blockOf(fieldsFor('cart'))),
    ...Array.from({ length: 127 }, () => frame(CONTINUATION, 0, 3, NO_BYTES)),
    frame(CONTINUATION, END_HEADERS, 3, NO_BYTES),
  ]),
  'more padding than there is': frame(HEADERS, PADDED | END_HEADERS, 3, Buffer.from([9, 0, 0])),
  'a header block of more than 64 KiB': request('cart', 3, {
    block: blockOf(fieldsFor('cart', field('x', 'y'.repeat(65_536)))),
  }),
};

for (const [name, bytes] of Object.entries(NOT_UNDERSTOOD)) {
  test(`gives up at ${name}, and passes on what comes as it is`, () => {
    const all = Buffer.concat([PREFACE, request('a.b'), bytes, request('cart', 7)]);
    for (const size of SIZES) {
      const { follower, sent, aborted } = follow(all, size);
      assert.ok(sent().equals(all), `in packets of ${size}`);
      assert.deepEqual([follower.hasGivenUp, aborted], [true, []]);
    }
  });

  test(`aborts at ${name}, once a name was completed`, () => {
    const all = Buffer.concat([PREFACE, request('cart'), bytes, request('a.b', 7)]);
    for (const size of SIZES) {
      const { sent, aborted } = follow(all, size);
      const passed = Buffer.concat([PREFACE, request('cart.shop')]);
      assert.ok(passed.subarray(0, sent().length).equals(sent()), `in packets of ${size}`);
      assert.deepEqual(aborted, ['HeadersNotUnderstood']);
    }
  });
}

test('only an incomplete head waits', () => {
  const { follower, packets } = follow(PREFACE, 100);
  const passes = (packet: Buffer, expected: Buffer): void => {
    const before = packets.length;
    follower.fromClient(packet);
    assert.deepEqual(Buffer.concat(packets.slice(before)), expected);
  };
  const data = frame(DATA, 0, 1, Buffer.from('hello'));
  const head = request('cart.shop', 3);
  passes(data.subarray(0, 11), data.subarray(0, 11));
  passes(Buffer.concat([data.subarray(11), head.subarray(0, 20)]), data.subarray(11));
  passes(head.subarray(20), head);
});

test('of a header block that never ends nothing passes, once a name was completed', () => {
  const { follower, sent } = follow(Buffer.concat([PREFACE, request('cart'), request('a.b', 3).subarray(0, 12)]), 100);
  follower.clientEnded();
  assert.deepEqual(sent(), Buffer.concat([PREFACE, request('cart.shop')]));
});

test('what is held passes before the end', () => {
  const bytes = Buffer.concat([PREFACE, request('cart').subarray(0, 12)]);
  const { follower, sent } = follow(bytes, 100);
  follower.clientEnded();
  assert.deepEqual(sent(), bytes);
});
