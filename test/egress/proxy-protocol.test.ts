import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from '../../egress/proxy-protocol.ts';
import { proxyHeader } from './support/proxy-header.ts';

const SOURCE = { address: '10.1.2.3', port: 40_000 };
const DESTINATION = { address: '10.96.0.1', port: 8080 };

test('names source and destination, over IPv4 and IPv6, and skips TLVs', () => {
  const mapped = [
    { address: '::ffff:10.1.2.3', port: 40_000 },
    { address: '::ffff:10.96.0.1', port: 8080 },
  ] as const;
  const v6 = [
    { address: '2001:db8::7', port: 1 },
    { address: 'fd00::1:2', port: 65_535 },
  ] as const;
  const table = [
    { sent: [SOURCE, DESTINATION], read: [SOURCE, DESTINATION] },
    { sent: v6, read: v6 },
    { sent: mapped, read: [SOURCE, DESTINATION] },
  ] as const;
  for (const { sent, read } of table) {
    for (const tlvs of [Buffer.alloc(0), Buffer.from([0x04, 0, 3, 1, 2, 3])]) {
      const header = proxyHeader(sent[0], sent[1], tlvs);
      const parsed = parseProxyHeader(Buffer.concat([header, Buffer.from('GET /')]));
      assert.deepEqual(parsed, { kind: 'Complete', source: read[0], destination: read[1], length: header.length });
    }
  }
});

function changed(at: number, value: number): Buffer {
  const header = proxyHeader(SOURCE, DESTINATION);
  header[at] = value;
  return header;
}

test('refuses what names no TCP source', () => {
  const table: readonly [string, Buffer, RegExp][] = [
    ['text form', Buffer.from('PROXY TCP4 10.1.2.3 10.96.0.1 40000 8080\r\n'), /signature/],
    ['no header at all', Buffer.from('GET / HTTP/1.1\r\n'), /signature/],
    ['LOCAL', changed(12, 0x20), /LOCAL/],
    ['version 1', changed(12, 0x11), /version/],
    ['UDP', changed(13, 0x12), /family/],
    ['UNIX', changed(13, 0x31), /family/],
    ['unspecified family', changed(13, 0x00), /family/],
    ['no room for the addresses', changed(15, 11), /too short/],
    ['endless', changed(14, 0xff), /longer/],
  ];
  for (const [name, bytes, reason] of table) {
    const parsed = parseProxyHeader(bytes);
    assert.equal(parsed.kind, 'Broken', name);
    assert.match(parsed.kind === 'Broken' ? parsed.reason : '', reason, name);
  }
});

test('waits for the rest wherever the header is split', () => {
  const header = proxyHeader(SOURCE, DESTINATION, Buffer.from([0x20, 0, 1, 0]));
  for (let length = 0; length < header.length; length += 1) {
    assert.equal(parseProxyHeader(header.subarray(0, length)).kind, 'Incomplete', `${length} bytes`);
  }
  assert.equal(parseProxyHeader(header).kind, 'Complete');
});

test('arbitrary bytes never throw and never wait for more than the longest header', () => {
  const prefix = proxyHeader(SOURCE, DESTINATION).subarray(0, 12);
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.uint8Array().map((tail) => Buffer.concat([prefix, tail])),
  );
  fc.assert(
    fc.property(bytes, (input) => void parseProxyHeader(Buffer.from(input))),
    { numRuns: 1_000 },
  );
  const endless = Buffer.concat([prefix, Buffer.alloc(MAX_PROXY_HEADER_BYTES, 0x21)]);
  assert.notEqual(parseProxyHeader(endless).kind, 'Incomplete');
});
