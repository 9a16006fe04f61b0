import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessLogEntry } from '../../../controller/core/model.ts';
import { encodeAccessLogs, encodeIdentifier, encodeRefusals } from '../../../controller/wire/access-log.ts';
import { decodeAccessLogs } from '../../../controller/wire/access-log-decoder.ts';
import { encode, type PlainMessage } from '../../../controller/wire/messages.ts';
import { entry } from '../../support/mesh-objects.ts';

const NODE = 'egress~10.1.0.9~egress-0.lazyscope~lazyscope.svc.cluster.local';
const COMMON = 'envoy.data.accesslog.v3.AccessLogCommon';

const address = (text: string, port: object = { port_value: 80 }): PlainMessage => ({
  socket_address: { address: text, ...port },
});
const GOOD = {
  downstream_remote_address: address('10.1.0.10'),
  downstream_local_address: address('10.96.0.1'),
  start_time: { seconds: 1, nanos: 0 },
  access_log_type: 'TcpConnectionEnd',
};

/** A field with a length before its content. */
function wrapped(field: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length, rest]), content]);
}

/** A message with one TCP entry whose common properties are these bytes. */
const tcpMessage = (...common: readonly Uint8Array[]): Buffer =>
  wrapped(3, wrapped(1, wrapped(1, Buffer.concat(common))));
const common = (properties: PlainMessage): Uint8Array => encode(COMMON, properties);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** The one entry of a message, or why it was skipped. */
function only(bytes: Uint8Array): AccessLogEntry | string {
  const { unreadable, entries, problems, skipped } = decodeAccessLogs(bytes, NODE);
  assert.equal(unreadable, undefined);
  assert.equal(entries.length + skipped, 1);
  return entries[0] ?? problems[0]?.reason ?? '';
}

const SKIPPED: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['nothing', hex(''), /downstream_remote_address is missing/],
  ['no source', common({ ...GOOD, downstream_remote_address: undefined }), /downstream_remote_address is missing/],
  ['no destination', common({ ...GOOD, downstream_local_address: undefined }), /downstream_local_address is missing/],
  [
    'a pipe',
    common({ ...GOOD, downstream_local_address: { pipe: { path: '/x' } } }),
    /local_address is .* not that of a socket/,
  ],
  [
    'an internal listener',
    common({ ...GOOD, downstream_local_address: { envoy_internal_address: { server_listener_name: 'x' } } }),
    /local_address is .* not that of a socket/,
  ],
  ['a name', common({ ...GOOD, downstream_local_address: address('cart.shop') }), /"cart.shop" is no IP address/],
  [
    'an address with a zone',
    common({ ...GOOD, downstream_remote_address: address('fe80::1%eth0') }),
    /is no IP address/,
  ],
  [
    'a forged line',
    common({ ...GOOD, downstream_local_address: address('a\n{"level":60}') }),
    /"a\ufffd\{"level":60\}" is no/,
  ],
  [
    'a port with a name',
    common({ ...GOOD, downstream_local_address: address('10.96.0.1', { named_port: 'http' }) }),
    /has port 0/,
  ],
  ['no port', common({ ...GOOD, downstream_local_address: address('10.96.0.1', {}) }), /has port 0/],
  [
    'a port beyond TCP',
    common({ ...GOOD, downstream_local_address: address('10.96.0.1', { port_value: 65_536 }) }),
    /port 65536/,
  ],
  ['another type', common({ ...GOOD, access_log_type: 'NotSet' }), /access_log_type NotSet is not one we read/],
  ['a type that there is not', common({ ...GOOD, access_log_type: 999 }), /access_log_type 999 is not one we read/],
  ['a type of -1', Buffer.concat([common(GOOD), hex('8802ffffffffffffffffff01')]), /access_log_type -1 is not/],
  ['no time', common({ ...GOOD, start_time: undefined }), /start_time is missing/],
  [
    'a time after the year 9999',
    common({ ...GOOD, start_time: { seconds: 253_402_300_800 } }),
    /between the years 1 and 9999/,
  ],
  [
    'a time before the year 1',
    common({ ...GOOD, start_time: { seconds: -62_135_596_801 } }),
    /between the years 1 and 9999/,
  ],
  ['nanos of more than a second', common({ ...GOOD, start_time: { nanos: 1_000_000_000 } }), /nanos/],
  ['negative nanos', common({ ...GOOD, start_time: { seconds: 1, nanos: -1 } }), /nanos/],
  ['an address that is not UTF-8', Buffer.concat([common(GOOD), hex('12060a041202fffe')]), /not UTF-8/],
  ['a field that is cut short', Buffer.concat([common(GOOD), hex('8202')]), /cut short/],
  ['a varint of 11 bytes', Buffer.concat([common(GOOD), hex('c001ffffffffffffffffffff01')]), /more than 10 bytes/],
  ['a wire type that there is not', Buffer.concat([common(GOOD), hex('0f')]), /wire type/],
  ['a field number of 0', Buffer.concat([common(GOOD), hex('0000')]), /tag is malformed/],
  ['a group that does not end', Buffer.concat([common(GOOD), hex('6b')]), /group/],
  ['a group that ends as another', Buffer.concat([common(GOOD), hex('6b74')]), /group/],
  [
    'groups in groups in groups',
    Buffer.concat([common(GOOD), hex('6b'.repeat(200) + '6c'.repeat(200))]),
    /more than 100 deep/,
  ],
];

describe('an entry', () => {
  for (const [what, properties, reason] of SKIPPED) {
    test(`with ${what} is skipped by name; its neighbours are read`, () => {
      const entryOf = (bytes: Uint8Array): Buffer => wrapped(1, wrapped(1, bytes));
      const three = [common(GOOD), properties, common(GOOD)].map(entryOf);
      const { entries, skipped, problems } = decodeAccessLogs(wrapped(3, Buffer.concat(three)), NODE);
      assert.deepEqual([entries.length, skipped, problems.length], [2, 1, 1]);
      assert.equal(problems[0]?.subject, `access log entry of ${NODE}`);
      assert.match(problems[0]?.reason ?? '', /^skipped: /);
      assert.match(problems[0]?.reason ?? '', reason);
    });
  }

  const READ: readonly (readonly [string, readonly Uint8Array[], Partial<AccessLogEntry>])[] = [
    [
      'in two halves',
      [common({ ...GOOD, start_time: undefined }), common({ start_time: { seconds: 2 } })],
      { startTime: 2_000 },
    ],
    [
      'with an address in two halves',
      [common({ ...GOOD, downstream_local_address: address('10.9.9.9', {}) }), hex('1a040a021851')],
      { destination: { address: '10.9.9.9', port: 81 } },
    ],
    [
      'with a pipe and then a socket for one address',
      [common(GOOD), hex('1a051203'), hex('0a012f'), hex('1a02'), hex('0a00'), common(GOOD)],
      { destination: { address: '10.96.0.1', port: 80 } },
    ],
    ['with a value twice: the last one holds', [common(GOOD), hex('2a040803'), hex('1000')], { startTime: 3_000 }],
    ['with fields that nobody knows', [common(GOOD), hex('fa0701ff'), hex('c13f0102030405060708'), hex('c03f05')], {}],
    ['with groups', [common(GOOD), hex('6b08016c'), hex('6b'.repeat(50) + '6c'.repeat(50))], {}],
    ['with a known field of another wire type', [common(GOOD), hex('1001'), hex('8d0201020304'), hex('8a020105')], {}],
    [
      'with a port of more than 32 bits, cut to 32',
      [common(GOOD), hex('1a080a061881808080' + '10')],
      { destination: { address: '10.96.0.1', port: 1 } },
    ],
    [
      'from IPv6 written at length',
      [common({ ...GOOD, downstream_remote_address: address('FD00:0:0::A') })],
      { source: { address: 'fd00::a', port: 80 } },
    ],
    [
      'from IPv4 mapped into IPv6',
      [common({ ...GOOD, downstream_remote_address: address('::ffff:10.0.0.9') })],
      { source: { address: '10.0.0.9', port: 80 } },
    ],
    [
      'of the year 1',
      [common({ ...GOOD, start_time: { seconds: -62_135_596_800 } })],
      { startTime: -62_135_596_800_000 },
    ],
    [
      'of the year 9999',
      [common({ ...GOOD, start_time: { seconds: 253_402_300_799, nanos: 999_999_999 } })],
      { startTime: 253_402_300_799_999 },
    ],
    ['with a flag of many bytes', [common(GOOD), hex('82010b'), hex('3080808080808080808001')], { answered: false }],
  ];
  for (const [what, properties, expected] of READ) {
    test(`${what} is read`, () => {
      const read = only(tcpMessage(...properties));
      assert.ok(typeof read === 'object', String(read));
      assert.deepEqual(read, { ...read, ...expected });
      assert.equal(read.source.address, expected.source?.address ?? '10.1.0.10');
    });
  }

  for (const length of [260, 65_536, 1_000_000]) {
    test(`with a Host of ${length} bytes keeps 259 of them, which are no name`, () => {
      const [bytes = hex('')] = encodeAccessLogs([
        entry('10.0.0.1', '10.96.0.1:80', { protocol: 'HTTP1', host: `cart:${'0'.repeat(length - 5)}` }),
      ]);
      const read = only(bytes);
      assert.ok(typeof read === 'object' && read.host?.length === 260 && read.host.endsWith('…'));
    });
  }

  test('that counts what is no count counts zero', () => {
    const custom_tags = {
      connections: '-1',
      requests: 'many',
      bytesSent: '1.5',
      bytesReceived: '7',
      errors: '9007199254740992',
    };
    const read = only(tcpMessage(common({ ...GOOD, custom_tags })));
    assert.deepEqual(typeof read === 'object' && read.counters, {
      connections: 0,
      requests: 0,
      bytesSent: 0,
      bytesReceived: 7,
      errors: 0,
    });
  });
});

describe('a message', () => {
  const http = entry('10.0.0.1', '10.96.0.1:80', { protocol: 'HTTP1', host: 'cart', reporter: NODE });
  const tcp = entry('10.0.0.1', '10.96.0.1:9000', { reporter: NODE });
  const [httpLogs = hex(''), tcpLogs = hex('')] = encodeAccessLogs([http, tcp]);

  test('names node and log where it has an identifier, and has nothing else to say', () => {
    const decoded = decodeAccessLogs(encodeIdentifier(NODE), '');
    assert.deepEqual(decoded, { nodeId: NODE, logName: 'lazyscope-egress', entries: [], skipped: 0, problems: [] });
  });

  test('without identifier takes the node of its stream', () => {
    assert.equal(decodeAccessLogs(tcpLogs, 'of-the-stream').entries[0]?.reporter, 'of-the-stream');
  });

  test('tells the node of its entries also where it comes after them', () => {
    assert.equal(decodeAccessLogs(Buffer.concat([tcpLogs, encodeIdentifier(NODE)]), '').entries[0]?.reporter, NODE);
  });

  for (const [what, bytes] of [
    ['nothing', hex('')],
    ['no entries', hex('1a00')],
    ['fields that nobody knows', hex('fa0701ff6b6c')],
  ] as const) {
    test(`with ${what} is empty`, () =>
      assert.deepEqual(decodeAccessLogs(bytes, NODE), { entries: [], skipped: 0, problems: [] }));
  }

  test('with two lists of one kind has the entries of both', () => {
    assert.deepEqual(decodeAccessLogs(Buffer.concat([tcpLogs, tcpLogs]), NODE).entries, [tcp, tcp]);
  });

  for (const [what, messages, kept] of [
    ['HTTP and then TCP entries', [httpLogs, tcpLogs], tcp],
    ['TCP and then HTTP entries', [tcpLogs, httpLogs], http],
  ] as const) {
    test(`with ${what} holds the last kind; the others are counted and named`, () => {
      const { entries, skipped, problems } = decodeAccessLogs(Buffer.concat(messages), NODE);
      assert.deepEqual([entries, skipped], [[kept], 1]);
      assert.match(problems[0]?.reason ?? '', /http_logs or tcp_logs/);
    });
  }

  test('of HTTP entries with the fields of TCP ones, and the other way round, is read as what it says it is', () => {
    const asTcp = Buffer.from(httpLogs);
    asTcp[0] = 0x1a;
    const { host, ...rest } = http;
    assert.deepEqual(decodeAccessLogs(asTcp, NODE).entries, [{ ...rest, protocol: 'TCP' }]);
  });

  test('half of it is unreadable, never misread', () => {
    const [bytes = hex('')] = encodeAccessLogs([tcp, tcp]);
    for (let length = 1; length < bytes.length; length += 1) {
      const { unreadable, entries } = decodeAccessLogs(bytes.subarray(0, length), NODE);
      assert.deepEqual([unreadable, entries], ['it is cut short', []], `cut at ${length}`);
    }
  });

  test('of refusals tells them by source, and they are no entries', () => {
    const refusals = new Map([
      ['10.0.0.1', 7],
      ['fd00::1', 1],
    ]);
    const decoded = decodeAccessLogs(encodeRefusals(refusals), NODE);
    assert.deepEqual(decoded, { entries: [], refusals, skipped: 0, problems: [] });
  });

  test('of a million bad entries is named in 10 reasons, and all are counted', () => {
    const bad = Array.from({ length: 20 }, (_, port) =>
      common({ ...GOOD, downstream_local_address: address('10.96.0.1', { port_value: 70_000 + port }) }),
    );
    const lists = [...bad.map((bytes) => wrapped(1, wrapped(1, bytes))), Buffer.alloc(2_000_000, hex('0a00'))];
    const { skipped, problems } = decodeAccessLogs(wrapped(3, Buffer.concat(lists)), NODE);
    assert.deepEqual([skipped, problems.length], [1_000_020, 10]);
  });

  test('is named by a printable node, whatever the node is', () => {
    const { problems } = decodeAccessLogs(hex('1a020a00'), `x\n${'y'.repeat(10_000)}\u001b[2J`);
    assert.match(problems[0]?.subject ?? '', /^access log entry of x\ufffdy{198}…$/);
  });
});
