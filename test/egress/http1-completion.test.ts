import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completedHead } from '../../egress/http1-completion.ts';
import { parseRequestHead } from '../../egress/http1-head.ts';
import type { Complete } from '../../egress/name-completion.ts';

const complete: Complete = (name) => (/^cart(:\d+)?$/.test(name) ? name.replace('cart', 'cart.shop') : undefined);

/** Heads, and what becomes of them; `undefined` where they stay as they are. */
const HEADS: readonly (readonly [string, string, string | undefined])[] = [
  ['a Host', 'GET / HTTP/1.1\r\nHost: cart\r\n', 'GET / HTTP/1.1\r\nHost: cart.shop\r\n'],
  ['a Host with a port', 'GET / HTTP/1.1\r\nHost: cart:80\r\n', 'GET / HTTP/1.1\r\nHost: cart.shop:80\r\n'],
  [
    'blanks around it',
    'GET / HTTP/1.1\r\nhOST:\t cart \r\nA: b\r\n',
    'GET / HTTP/1.1\r\nhOST:\t cart.shop \r\nA: b\r\n',
  ],
  ['a Host that names its namespace', 'GET / HTTP/1.1\r\nHost: cart.shop\r\n', undefined],
  ['no Host', 'GET / HTTP/1.0\r\nA: cart\r\n', undefined],
  [
    'the name elsewhere',
    'GET /cart HTTP/1.1\r\nX-Host: cart\r\nHost: cart\r\nOrigin: cart\r\n',
    'GET /cart HTTP/1.1\r\nX-Host: cart\r\nHost: cart.shop\r\nOrigin: cart\r\n',
  ],
  [
    'bytes that are no ASCII',
    'GET /\xe9 HTTP/1.1\r\nHost: cart\r\nA: \xff\r\n',
    'GET /\xe9 HTTP/1.1\r\nHost: cart.shop\r\nA: \xff\r\n',
  ],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: cart\r\n', 'OPTIONS * HTTP/1.1\r\nHost: cart.shop\r\n'],
  [
    'a target in absolute form',
    'GET http://cart/?http://cart/ HTTP/1.1\r\nHost: cart\r\n',
    'GET http://cart.shop/?http://cart/ HTTP/1.1\r\nHost: cart.shop\r\n',
  ],
  [
    'one without a path',
    'GET HTTPS://cart:80 HTTP/1.1\r\nHost: other\r\n',
    'GET HTTPS://cart.shop:80 HTTP/1.1\r\nHost: other\r\n',
  ],
  ['one that overrules Host', 'GET http://cart.shop/ HTTP/1.1\r\nHost: cart\r\n', undefined],
  ['one with a user', 'GET http://me@cart/ HTTP/1.1\r\nHost: cart\r\n', undefined],
  ['one that is no URL', 'GET cart HTTP/1.1\r\nHost: cart\r\n', undefined],
  ['CONNECT', 'CONNECT cart:80 HTTP/1.1\r\nHost: cart:80\r\n', undefined],
];

for (const [name, head, expected] of HEADS) {
  test(`of a head with ${name}: ${expected === undefined ? 'nothing is completed' : 'the name is completed'}`, () => {
    const request = parseRequestHead(head);
    assert.ok(request);
    assert.equal(completedHead(head, request, complete), expected);
  });
}
