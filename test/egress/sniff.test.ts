import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sniff } from '../../egress/sniff.ts';
import { clientHello, inRecordsOf } from './support/client-hello.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

test('recognises protocols by their first bytes', () => {
  const table: readonly [string, string | undefined][] = [
    ['GET / HTTP/1.1\r\n', 'HTTP1'],
    ['OPTIONS * HTTP/1.0\r\nHost: a', 'HTTP1'],
    ['M-SEARCH x:y HTTP/1.1\r\n', 'HTTP1'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP2'],
    ['PRI * HTTP/2.0\r\n\r\nSM', undefined],
    ['P', undefined],
    ['GET / HTTP/1.1', undefined],
    ['', undefined],
    ['GET /\r\n', 'TCP'],
    ['GET / HTTP/3.0\r\n', 'TCP'],
    ['GET / HTTP/1.1\n', 'TCP'],
    ['PING\r\n', 'TCP'],
    ['*1\r\n$4\r\nPING\r\n', 'TCP'],
    ['\0\0\0\x08', 'TCP'],
    ['SSH-2.0-OpenSSH_9.6\r\n', 'TCP'],
    [`${'A'.repeat(33)}`, 'TCP'],
    ['\x16\x02', 'TCP'],
    ['\x16', undefined],
    ['\x16\x03\x01\0\0', 'TLS'],
    ['\x16\x03\x01\0\0\x16', 'TLS'],
    ['\x16\x03\x01\x40\x01\x01', 'TLS'],
    ['\x16\x03\x01\x40\x01', undefined],
    ['\x16\x03\x01\x40\0\x01', undefined],
    ['\x16\x03\x01\0\x04\x02\0\0\0', 'TCP'],
    ['\x80\x2e\x01\0\x02', 'TCP'],
    ['\r\n\r\n\0\r\nQUIT\n', 'TCP'],
    ['PROXY TCP4 10.1.2.3 10.96.0.1 40000 8080\r\n', 'TCP'],
    ['GET /caf\xc3\xa0 HTTP/1.1\r\n', 'HTTP1'],
    ['GET /\0 HTTP/1.1\r\n', 'TCP'],
  ];
  for (const [text, protocol] of table) assert.equal(sniff(bytesOf(text))?.protocol, protocol, JSON.stringify(text));
});

test('reads the server name, also from a hello that is split over records', async () => {
  const hello = await clientHello('cart.shop.svc.cluster.local');
  for (const size of [1, 7, 100, 16_384]) {
    const expected = { protocol: 'TLS', serverName: 'cart.shop.svc.cluster.local' };
    assert.deepEqual(sniff(inRecordsOf(size, hello)), expected, `records of ${size}`);
  }
});

test('a hello without a name is TLS all the same', async () => {
  assert.deepEqual(sniff(await clientHello()), { protocol: 'TLS' });
});

test('waits for the rest of a hello wherever it is split', async () => {
  const hello = inRecordsOf(150, await clientHello('a.example'));
  for (let length = 0; length < hello.length; length += 1) {
    assert.equal(sniff(hello.subarray(0, length)), undefined, `${length} of ${hello.length} bytes`);
  }
});

test('a broken hello is TLS without a name', async () => {
  const hello = await clientHello('a.example');
  const interrupted = Buffer.concat([inRecordsOf(100, hello).subarray(0, 105), bytesOf('\x17\x03\x03\0\x01x')]);
  assert.deepEqual(sniff(interrupted), { protocol: 'TLS' });
  assert.deepEqual(sniff(bytesOf('\x16\x03\x01\0\x04\x01\x00\x00\x00')), { protocol: 'TLS' });
});

test('a server name that is no host name is not reported', async () => {
  const hello = await clientHello('abc.example');
  const forged = Buffer.from(hello.toString('latin1').replace('abc.example', 'ab\n.example'), 'latin1');
  assert.deepEqual(sniff(forged), { protocol: 'TLS' });
});

test('arbitrary bytes never throw, and what was decided stays decided', () => {
  const start = fc.constantFrom('', '\x16\x03\x01\0\x20\x01', 'GET ', 'PRI * HTTP/2');
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 20 }), (head, middle, tail) => {
      const bytes = Buffer.concat([bytesOf(head), middle]);
      const before = sniff(bytes);
      if (before) assert.deepEqual(sniff(Buffer.concat([bytes, tail])), before);
    }),
    { numRuns: 1_000 },
  );
});
