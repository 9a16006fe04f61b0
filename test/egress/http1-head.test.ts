import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Framing, parseRequestHead, parseResponseHead, type RequestHead } from '../../egress/http1-head.ts';

const lines = (...text: string[]): string => text.map((line) => `${line}\r\n`).join('');

test('a request says where it goes', () => {
  const table: readonly [string, string][] = [
    [lines('GET / HTTP/1.1', 'Host: web'), 'web'],
    [lines('GET / HTTP/1.1', 'hOsT:\t web:8080 '), 'web:8080'],
    [lines('GET / HTTP/1.0'), ''],
    [lines('GET http://other:81/x HTTP/1.1', 'Host: web'), 'other:81'],
    [lines('GET https://u:p@other/ HTTP/1.1', 'Host: web'), 'other'],
    [lines('CONNECT web:443 HTTP/1.1'), 'web:443'],
    [lines('CONNECT web:443 HTTP/1.1', 'Host: other'), 'web:443'],
    [lines('OPTIONS * HTTP/1.1', 'Host: web'), 'web'],
    [lines('OPTIONS http://other HTTP/1.1', 'Host: web'), 'other'],
    [lines('GET ftp://other?x HTTP/1.1', 'Host: web'), 'other'],
    [lines('GET http://[2001:db8::1]:80/ HTTP/1.1', 'Host: web'), '[2001:db8::1]:80'],
    [lines('GET /http://other/ HTTP/1.1', 'Host: web'), 'web'],
    [lines('GET /caf\xc3\xa0 HTTP/1.1', 'Host: web'), 'web'],
    [lines('GET / HTTP/1.1', 'Host:'), ''],
    [lines('GET / HTTP/1.1', 'Host: web', 'X:', 'Y: \t', 'Z: \xff\t"'), 'web'],
  ];
  for (const [text, host] of table) assert.equal(parseRequestHead(text)?.host, host, text);
});

test('a request says how its body ends', () => {
  const table: readonly [string[], Framing][] = [
    [[], 0],
    [['Content-Length: 12'], 12],
    [['Content-Length: 12', 'content-length: 12'], 12],
    [['Transfer-Encoding: chunked'], 'Chunked'],
    [['Transfer-Encoding: gzip, Chunked'], 'Chunked'],
    [['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'], 'Chunked'],
  ];
  for (const [fields, framing] of table) {
    assert.equal(parseRequestHead(lines('POST / HTTP/1.1', 'Host: web', ...fields))?.framing, framing, `${fields}`);
  }
});

test('a request says whether it is the last, and whether it asks for a tunnel', () => {
  const table: readonly [string, Partial<RequestHead>][] = [
    [lines('GET / HTTP/1.1'), { isLast: false, asksTunnel: false }],
    [lines('GET / HTTP/1.1', 'Connection: close'), { isLast: true }],
    [lines('GET / HTTP/1.1', 'Connection: TE, Close'), { isLast: true }],
    [lines('GET / HTTP/1.0'), { isLast: true }],
    [lines('GET / HTTP/1.0', 'Connection: Keep-Alive'), { isLast: false }],
    [lines('GET / HTTP/1.1', 'Connection: keep-alive, Upgrade'), { isLast: false, asksTunnel: true }],
    [lines('CONNECT a:1 HTTP/1.1'), { asksTunnel: true, framing: 0 }],
  ];
  for (const [text, expected] of table) {
    const head = parseRequestHead(text);
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(head?.[name as keyof RequestHead], value, `${name} of ${text}`);
    }
  }
});

test('what two readers could understand differently is not understood', () => {
  const table: readonly string[] = [
    lines('GET /\0 HTTP/1.1', 'Host: web'),
    lines('GET /\x7f HTTP/1.1', 'Host: web'),
    lines('GET / HTTP/1.1\r', 'Host: web'),
    lines('GET http:///x HTTP/1.1', 'Host: web'),
    lines('GET http://a@b@c/ HTTP/1.1', 'Host: web'),
    lines('GET http://a\\@b/ HTTP/1.1', 'Host: web'),
    lines('GET http://web/ HTTP/1.1', 'Host: a', 'Host: b'),
    lines('CONNECT /web HTTP/1.1'),
    lines('CONNECT user@web:443 HTTP/1.1'),
    lines('CONNECT web:443 HTTP/1.1', 'Content-Length: 1'),
    lines('CONNECT web:443 HTTP/1.1', 'Transfer-Encoding: chunked'),
    lines('GET / HTTP/1.1', 'Host: user@web'),
    lines('GET / HTTP/1.1', 'Host: web/other'),
    lines('GET / HTTP/1.1', 'Host: web other'),
    lines('GET / HTTP/1.1', 'Host: web\0other'),
    lines('GET / HTTP/1.1', 'Host: web', 'Host: web'),
    lines('GET / HTTP/1.1', 'Host: web', 'Host:'),
    lines('GET / HTTP/1.1', ': web'),
    lines('GET / HTTP/1.1', 'Ho st: web'),
    lines('GET / HTTP/1.1', 'Host\0: web'),
    lines('GET / HTTP/1.1', 'Host\t: web'),
    lines('GET / HTTP/1.1', '\tHost: web'),
    lines('GET / HTTP/1.1', 'X: a\rHost: web'),
    lines('GET / HTTP/1.1', 'X: a\0b'),
    lines('GET / HTTP/1.1', 'X: a\x0bb'),
    lines('GET / HTTP/1.1', 'X\xe9: a'),
    lines('POST / HTTP/1.1', 'Content-Length: \xa05'),
    lines('POST / HTTP/1.1', 'Content-Length:'),
    lines('POST / HTTP/1.1', 'Content-Length: 0x5'),
    lines('POST / HTTP/1.1', 'Content-Length: 5 5'),
    lines(`POST / HTTP/1.1`, `Content-Length: ${'9'.repeat(16)}`),
    lines('POST / HTTP/1.1', 'Transfer-Encoding\x0b: chunked'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: \x0bchunked'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: \xa0chunked'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: gzip chunked'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: chunked, chunked'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: chunked, gzip'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: "chunked"'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding:'),
    lines('GET / HTTP/1.1 '),
    lines('GET  / HTTP/1.1'),
    lines('GET / HTTP/2.0'),
    lines('', 'GET / HTTP/1.1'),
    lines('GET / HTTP/1.1', 'Host : web'),
    lines('GET / HTTP/1.1', 'Host: web', ' folded'),
    lines('GET / HTTP/1.1', 'no colon'),
    lines('GET / HTTP/1.1', 'Host: a\nContent-Length: 5'),
    lines('GET / HTTP/1.1', 'Host: a', 'Host: b'),
    lines('POST / HTTP/1.1', 'Content-Length: 5', 'Content-Length: 6'),
    lines('POST / HTTP/1.1', 'Content-Length: +5'),
    lines('POST / HTTP/1.1', 'Content-Length: 5, 5'),
    lines('POST / HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: gzip'),
    lines('POST / HTTP/1.1', 'Transfer-Encoding: xchunked'),
    lines('POST / HTTP/1.0', 'Transfer-Encoding: chunked'),
  ];
  for (const text of table) assert.equal(parseRequestHead(text), undefined, JSON.stringify(text));
});

test('a response ends as RFC 9112 section 6.3 says', () => {
  const request = (method: string, asksTunnel = false): RequestHead => ({
    method,
    host: '',
    framing: 0,
    isLast: false,
    asksTunnel,
  });
  const table: readonly [string, RequestHead, Framing | undefined][] = [
    [lines('HTTP/1.1 200 OK', 'Content-Length: 7'), request('GET'), 7],
    [lines('HTTP/1.1 200'), request('GET'), 'UntilClose'],
    [lines('HTTP/1.1 200 OK', 'Content-Length: 7'), request('HEAD'), 0],
    [lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'), request('HEAD'), 0],
    [lines('HTTP/1.1 204 No Content', 'Content-Length: 7'), request('GET'), 0],
    [lines('HTTP/1.1 304 Not Modified', 'Content-Length: 7'), request('GET'), 0],
    [lines('HTTP/1.1 100 Continue'), request('POST'), 0],
    [lines('HTTP/1.1 103 Early Hints', 'Link: x'), request('GET'), 0],
    [lines('HTTP/1.1 101 Switching Protocols'), request('GET', true), 'Tunnel'],
    [lines('HTTP/1.1 101 Switching Protocols'), request('GET'), undefined],
    [lines('HTTP/1.1 200 OK', 'Content-Length: 7'), request('CONNECT', true), 'Tunnel'],
    [lines('HTTP/1.1 407 No', 'Content-Length: 7'), request('CONNECT', true), 7],
    [lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'), request('GET'), 'Chunked'],
    [lines('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip'), request('GET'), 'UntilClose'],
    [lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Content-Length: 1'), request('GET'), undefined],
    [lines('HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked'), request('GET'), 0],
    [lines('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'), request('GET'), undefined],
    [lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked, gzip'), request('GET'), undefined],
    [lines('HTTP/1.1 200 OK\rContent-Length: 7'), request('GET'), undefined],
    [lines('HTTP/1.1 200 OK', 'X: a\rContent-Length: 7'), request('GET'), undefined],
    [lines('HTTP/1.1 200 OK', 'Content-Length: 7', 'Content-Length: 8'), request('GET'), undefined],
    [lines('HTTP/1.1 099 OK'), request('GET'), undefined],
    [lines('ICY 200 OK'), request('GET'), undefined],
  ];
  for (const [text, asked, framing] of table) assert.equal(parseResponseHead(text, asked)?.framing, framing, text);
});

test('a response says whether the server will close', () => {
  const request: RequestHead = { method: 'GET', host: '', framing: 0, isLast: false, asksTunnel: false };
  const table: readonly [string, boolean][] = [
    [lines('HTTP/1.1 200 OK', 'Content-Length: 1'), false],
    [lines('HTTP/1.1 200 OK', 'Content-Length: 1', 'Connection: close'), true],
    [lines('HTTP/1.0 200 OK', 'Content-Length: 1'), true],
    [lines('HTTP/1.0 200 OK', 'Content-Length: 1', 'Connection: keep-alive'), false],
    [lines('HTTP/1.1 200 OK'), true],
  ];
  for (const [text, isLast] of table) assert.equal(parseResponseHead(text, request)?.isLast, isLast, text);
});

test('arbitrary text never throws', () => {
  const start = fc.constantFrom('', 'GET / HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\n', 'POST / HTTP/1.1\r\nContent-Length:');
  fc.assert(
    fc.property(start, fc.string({ unit: 'binary' }), (head, tail) => {
      const request = parseRequestHead(head + tail);
      parseResponseHead(
        head + tail,
        request ?? { method: 'GET', host: '', framing: 0, isLast: false, asksTunnel: false },
      );
    }),
    { numRuns: 1_000 },
  );
});
