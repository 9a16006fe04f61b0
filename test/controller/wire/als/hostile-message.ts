/**
 * Arbitrary bytes that look like access log messages. The fields of the schema come in any order, number and wire type,
 * with others between them; then bytes are changed at random places.
 */
import fc from 'fast-check';

/** Number of a field, and its content: the name of a message here, or else of a kind of value. */
type KnownField = readonly [number, string];

/** In this order the last one of a `oneof` is the one that is read. */
const SCHEMA: Readonly<Record<string, readonly KnownField[]>> = {
  message: [
    [1, 'identifier'],
    [2, 'httpLogs'],
  ],
  identifier: [
    [1, 'node'],
    [2, 'text'],
  ],
  node: [[1, 'text']],
  httpLogs: [[1, 'httpEntry']],
  tcpLogs: [[1, 'tcpEntry']],
  httpEntry: [
    [1, 'common'],
    [2, 'small'],
    [3, 'request'],
  ],
  tcpEntry: [[1, 'common']],
  request: [[3, 'text']],
  common: [
    [2, 'address'],
    [3, 'address'],
    [4, 'tls'],
    [5, 'time'],
    [16, 'flags'],
    [22, 'tag'],
    [33, 'type'],
  ],
  address: [
    [2, 'text'],
    [1, 'socket'],
  ],
  socket: [
    [2, 'ip'],
    [4, 'text'],
    [3, 'port'],
  ],
  tls: [[3, 'text']],
  time: [
    [1, 'seconds'],
    [2, 'nanos'],
  ],
  flags: [[6, 'small']],
  tag: [
    [1, 'counter'],
    [2, 'count'],
  ],
};

const MOST_VARINT = (1n << 64n) - 1n;

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value & MOST_VARINT;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

const anyVarint = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 3n, 5n, 14n, 999_999_999n, 1_000_000_000n),
  fc.constantFrom(MOST_VARINT, 1n << 63n, (1n << 63n) - 1n, 1n << 32n, (1n << 32n) - 1n, 1n << 31n, (1n << 35n) + 3n),
  fc.bigInt({ min: 0n, max: MOST_VARINT }),
);
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const odd = fc.constantFrom('fe80::1%eth0', '999.0.0.1', '', 'cart', '1.2.3.4\n', '::ffff:999.0.0.1').map(utf8);
const COUNTERS = ['connections', 'requests', 'bytesSent', 'errors', 'other', '', '__proto__', 'refusals'];
const COUNTS = ['0', '7', '007', '9007199254740991', '9007199254740992', '1'.repeat(400), '-1', '1e3', ' 1', '', '٣'];
const EDGES_OF_TIME = [253_402_300_799n, 253_402_300_800n, -62_135_596_800n, -62_135_596_801n];

/** Mostly the first. */
const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 15, arbitrary: usual }, odd);

const VALUES: Readonly<Record<string, fc.Arbitrary<Buffer>>> = {
  text: fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom('cart.shop', '', 'x'.repeat(64), 'x'.repeat(65), 'ü', '\u{feff}b').map(utf8),
    },
    fc.constantFrom('x'.repeat(300), 'ü'.repeat(300)).map(utf8),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  ),
  ip: mostly(fc.constantFrom('10.0.0.1', '10.1.0.9', 'fd00::A', '::ffff:10.0.0.1', '::').map(utf8), odd),
  counter: fc.constantFrom(...COUNTERS).map(utf8),
  count: fc.constantFrom(...COUNTS).map(utf8),
};

const VARINTS: Readonly<Record<string, fc.Arbitrary<bigint>>> = {
  small: mostly(fc.bigInt({ min: 0n, max: 3n }), anyVarint),
  type: mostly(fc.constantFrom(1n, 2n, 3n, 4n, 5n, 6n, 14n), anyVarint),
  port: mostly(fc.constantFrom(80n, 1n, 65_535n), fc.oneof(fc.constantFrom(0n, 65_536n, (1n << 32n) + 80n), anyVarint)),
  nanos: mostly(fc.constantFrom(0n, 5_000_000n, 999_999_999n), anyVarint),
  seconds: mostly(fc.constantFrom(1_780_000_000n, 0n), fc.oneof(fc.constantFrom(...EDGES_OF_TIME), anyVarint)),
};

/** A field on the wire. */
function wired(field: number, wireType: number, payload: Buffer): Buffer {
  const length = wireType === 2 ? varint(BigInt(payload.length)) : Buffer.alloc(0);
  return Buffer.concat([varint(BigInt((field << 3) | wireType)), length, payload]);
}

const NOTHING = Buffer.alloc(0);

/** A field that nobody asks for, or one of another wire type than the schema's. */
const strangeField: fc.Arbitrary<Buffer> = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 1, 2, 3, 5), fc.uint8Array({ maxLength: 6 }))
  .map(([field, wireType, bytes]) => {
    if (wireType === 3)
      return Buffer.concat([wired(field, 3, NOTHING), wired(1, 0, varint(7n)), wired(field, 4, NOTHING)]);
    if (wireType === 0) return wired(field, 0, varint(BigInt(bytes.length) << 33n));
    const length = wireType === 1 ? 8 : wireType === 5 ? 4 : undefined;
    return wired(field, wireType, length === undefined ? Buffer.from(bytes) : Buffer.alloc(length, 1));
  });

/** Longer than need be, too long, and larger than 32 bits: tags, lengths and values. */
const LONG_VARINTS = [
  '8a80808000',
  '8a808080800041',
  '92808080100041',
  '0a818080800041',
  '0a81808080800041',
  '0a8080808010',
]
  .concat([
    '108180808080808080807f',
    '10818080808080808080808001',
    '30808080808080808080808001',
    '3080808080808080808001',
  ])
  .map((hex) => Buffer.from(hex, 'hex'));

/** Groups that do not end, or another one does; wire types and numbers that there are not. */
const brokenField = fc.oneof(
  fc
    .tuple(fc.nat({ max: 3 }), fc.nat({ max: 7 }), fc.uint8Array({ maxLength: 6 }))
    .map(([field, wireType, bytes]) => wired(field, wireType, Buffer.from(bytes))),
  fc.constantFrom(...LONG_VARINTS),
);

function knownField([field, kind]: KnownField): fc.Arbitrary<Buffer> {
  const number = VARINTS[kind];
  if (number) return number.map((value) => wired(field, 0, varint(value)));
  return (VALUES[kind] ?? content(kind)).map((payload) => wired(field, 2, payload));
}

const built = new Map<string, fc.Arbitrary<Buffer>>();

/** The content of a message of the schema: everything once and some more, or anything. */
function content(name: string): fc.Arbitrary<Buffer> {
  const known = built.get(name);
  if (known) return known;
  const fields = (SCHEMA[name] ?? []).map(knownField);
  const strange = fc.oneof({ weight: 30, arbitrary: strangeField }, brokenField);
  const any = fc.array(fc.oneof({ weight: 3, arbitrary: fc.oneof(...fields) }, strange), { maxLength: 3 });
  const more = fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, any);
  const complete = fc.tuple(fc.tuple(...fields), more).map(([all, others]) => [...all, ...others]);
  const arbitrary = mostly(complete, any).map((parts) => Buffer.concat(parts));
  built.set(name, arbitrary);
  return arbitrary;
}

type Change = (bytes: Buffer) => Buffer;

const at = fc.nat({ max: 1 << 20 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(at, fc.nat({ max: 7 })).map(
    ([place, bit]): Change =>
      (bytes) => {
        const copy = Buffer.from(bytes);
        if (copy.length > 0) copy[place % copy.length] = (copy[place % copy.length] ?? 0) ^ (1 << bit);
        return copy;
      },
  ),
  fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 4 })).map(
    ([place, inserted]): Change =>
      (bytes) => {
        const cut = place % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, cut), inserted, bytes.subarray(cut)]);
      },
  ),
  fc.tuple(at, fc.integer({ min: 1, max: 20 })).map(
    ([place, count]): Change =>
      (bytes) => {
        const cut = place % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, cut), bytes.subarray(cut + count)]);
      },
  ),
  fc.tuple(at, at, at).map(
    ([from, count, to]): Change =>
      (bytes) => {
        const [start, cut] = [from % (bytes.length + 1), to % (bytes.length + 1)];
        return Buffer.concat([
          bytes.subarray(0, cut),
          bytes.subarray(start, start + (count % 100)),
          bytes.subarray(cut),
        ]);
      },
  ),
  at.map(
    (place): Change =>
      (bytes) =>
        bytes.subarray(0, place % (bytes.length + 1)),
  ),
);

const logs = fc.oneof(
  content('tcpLogs').map((payload) => wired(3, 2, payload)),
  content('httpLogs').map((payload) => wired(2, 2, payload)),
);
const message = fc.oneof(
  { weight: 3, arbitrary: content('message') },
  fc
    .tuple(fc.array(logs, { maxLength: 3 }), fc.oneof(fc.constant(NOTHING), content('message')))
    .map(([some, last]) => Buffer.concat([...some, last])),
);

/** Bytes that are a message, almost one, or none. */
export const hostileMessage: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 5, arbitrary: message },
  {
    weight: 5,
    arbitrary: fc
      .tuple(message, fc.array(change, { minLength: 1, maxLength: 3 }))
      .map(([bytes, changes]) => changes.reduce((changed, apply) => apply(changed), bytes)),
  },
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
);
