import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEVER_RELAYED_CIDRS } from '../../egress/never-relay.ts';
import { proxyHeader } from './support/proxy-header.ts';
import { Reading } from './support/reading.ts';
import { startRelay, startServer } from './support/relay.ts';
import { connection, relayTo, scripted, TO_WEB } from './support/web-and-api.ts';

const HERE = { address: '127.0.0.1', port: 1 };
const ANYWHERE = { address: '127.0.0.2', port: 9 };
const HEADER = proxyHeader(HERE, ANYWHERE);
const SIGNATURE = HEADER.subarray(0, 12);

function changed(at: number, value: number): Buffer {
  const header = Buffer.from(HEADER);
  header[at] = value;
  return header;
}

/** Version and command, family and transport, length, and what follows. */
function headerOf(fixed: readonly number[], length: number, rest: Buffer): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([...fixed, length >> 8, length & 255]), rest]);
}

const REFUSED: Record<string, Buffer> = {
  'a header longer than is read': headerOf([0x21, 0x11], 4_097, Buffer.alloc(4_097)),
  'a header of 65,535 bytes': headerOf([0x21, 0x11], 65_535, Buffer.alloc(65_535)),
  'no room for the addresses': changed(15, 11),
  'no room for IPv6 addresses': headerOf([0x21, 0x21], 12, Buffer.alloc(36)),
  LOCAL: changed(12, 0x20),
  'an unknown command': changed(12, 0x2f),
  'version 1 in binary': changed(12, 0x11),
  'version 3': changed(12, 0x31),
  'an unspecified family': changed(13, 0x00),
  UDP: changed(13, 0x12),
  'a UNIX socket': headerOf([0x21, 0x31], 216, Buffer.alloc(216, '/run/a')),
  'an unknown family': changed(13, 0x41),
  'the text form': Buffer.from('PROXY TCP4 127.0.0.1 127.0.0.2 1 9\r\n'),
  'a signature with a wrong byte': changed(11, 0x0b),
};

for (const [name, bytes] of Object.entries(REFUSED)) {
  test(`${name} closes the connection, is counted, and nothing of it is reported`, async (t) => {
    const relay = await startRelay(t);
    for (const size of [bytes.length, 7]) {
      const socket = await relay.connectBare();
      for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size));
      await new Reading(socket).over();
      assert.equal(relay.refusals.pop(), 'BrokenHeader', `in packets of ${size}`);
    }
    assert.deepEqual([relay.report.hasNews, relay.limits.open, relay.relay.size], [false, 0, 0]);
  });
}

test('a header that ends at any byte is counted as such', async (t) => {
  const relay = await startRelay(t);
  for (let length = 0; length < HEADER.length; length += 1) {
    const socket = await relay.connectBare();
    socket.end(HEADER.subarray(0, length));
    await new Reading(socket).over();
    assert.deepEqual(relay.refusals.splice(0), ['ClosedBeforeHeader'], `${length} bytes`);
  }
  assert.equal(relay.limits.open, 0);
});

test('IPv6 addresses are compared with the peer like all others', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t);
  const mapped = (address: string, port: number) => ({ address: `::ffff:${address}`, port });
  const served = await relay.connectBare();
  served.write(proxyHeader(mapped('127.0.0.1', 1), mapped(echo.address, echo.port)));
  served.write('hello');
  await new Reading(served).until('hello');
  const forged = await relay.connectBare();
  forged.write(proxyHeader({ address: '2001:db8::1', port: 1 }, { address: '2001:db8::2', port: 1 }));
  await new Reading(forged).over();
  assert.deepEqual(relay.refusals, ['SourceMismatch']);
});

test('TLVs are skipped, whatever they hold', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t);
  const table: Record<string, Buffer<ArrayBuffer>> = {
    'one that ends early': Buffer.from('0400ff01', 'hex'),
    'half the head of one': Buffer.from('04', 'hex'),
    'a checksum that is wrong': Buffer.from('03000400000000', 'hex'),
    'as many bytes as are read': Buffer.alloc(4_096 - 12, 0xff),
  };
  for (const [name, tlvs] of Object.entries(table)) {
    const socket = await relay.connectBare();
    socket.write(Buffer.concat([proxyHeader(HERE, echo, tlvs), Buffer.from(name)]));
    await new Reading(socket).until(name);
    socket.destroy();
  }
  assert.deepEqual(relay.refusals, []);
});

test('a second header is payload: a client that speaks PROXY itself is relayed to where it dialled', async (t) => {
  const table: Record<string, Buffer> = {
    'the binary form': proxyHeader({ address: '10.9.9.9', port: 1 }, { address: '10.96.0.2', port: 8080 }),
    'the text form': Buffer.from('PROXY TCP4 10.9.9.9 10.96.0.2 1 8080\r\n'),
    'the unknown text form': Buffer.from('PROXY UNKNOWN\r\n'),
    LOCAL: headerOf([0x20, 0], 0, Buffer.alloc(0)),
  };
  for (const [name, second] of Object.entries(table)) {
    const [web, api] = [await scripted(t), await scripted(t)];
    const relay = await relayTo(t, web, api);
    const client = await relay.connect(TO_WEB);
    const payload = Buffer.concat([second, Buffer.from('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n')]);
    client.end(payload);
    const upstream = await connection(web, 0);
    await upstream.reading.end();
    assert.deepEqual(upstream.reading.bytes, payload, name);
    assert.equal(api.connections.length, 0, name);
    const [entry] = relay.report.take(10);
    assert.deepEqual([entry?.protocol, entry?.source.address, entry?.destination], ['TCP', '127.0.0.1', TO_WEB], name);
  }
});

test('a destination that cannot be one is reset', async (t) => {
  const relay = await startRelay(t, { neverRelayedCidrs: NEVER_RELAYED_CIDRS });
  const table = [
    { address: '0.0.0.0', port: 80 },
    { address: '255.255.255.255', port: 80 },
    { address: '224.0.0.1', port: 80 },
    { address: '::', port: 80 },
    { address: '::ffff:127.0.0.1', port: 80 },
    { address: 'ff02::1', port: 80 },
    { address: '10.96.0.1', port: 0 },
  ];
  for (const destination of table) {
    const address = destination.address.includes(':') ? '::ffff:127.0.0.1' : '127.0.0.1';
    const socket = await relay.connectBare();
    socket.write(proxyHeader({ address, port: 1 }, destination));
    assert.equal(await new Reading(socket).over(), 'ECONNRESET', destination.address);
  }
  assert.equal(await relay.metric('lazyscope_egress_refused_total{reason="NeverRelayed"}'), table.length);
});
