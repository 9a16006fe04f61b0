import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Reading } from './support/reading.ts';
import { connection, relayTo, scripted, TO_WEB } from './support/web-and-api.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = (host: string, path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
/** A request to `api.test`, of whose body some readers would make a request to `web.test`. */
const post = (more: string, body: string): string => `POST / HTTP/1.1\r\nHost: api.test\r\n${more}\r\n${body}`;
const SMUGGLED = get('web.test', '/smuggled');
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

async function start(t: TestContext) {
  const [web, api] = [await scripted(t), await scripted(t)];
  const relay = await relayTo(t, web, api);
  const client = await relay.connect(TO_WEB);
  return { web, api, relay, client, reading: new Reading(client) };
}

/** Requests with one meaning only, and what is behind a body that looks like a request. */
const UNDERSTOOD: Record<string, string> = {
  'a length': post(`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
  chunks: post(CHUNKED, `${chunk(SMUGGLED)}0\r\n\r\n`),
  'chunks with extensions, and trailers': post(
    CHUNKED,
    `5;a="${'GET / HTTP/1.1'}"\r\nhello\r\n0\r\nX: ${SMUGGLED.slice(0, 14)}\r\n\r\n`,
  ),
  'a head of many fields': get(
    'api.test',
    '/',
    Array.from({ length: 500 }, (_, at) => `X-${at}: Host: web.test\r\n`).join(''),
  ),
  'a target in absolute form, which overrules Host': 'GET http://api.test/ HTTP/1.1\r\nHost: web.test\r\n\r\n',
  'a user before the name': 'GET http://web.test@api.test/ HTTP/1.1\r\nHost: web.test\r\n\r\n',
  'a name in capitals, with a port and a dot at its end': get('API.Test.:8080'),
};

for (const [name, text] of Object.entries(UNDERSTOOD)) {
  test(`a request goes to whom it names, and the next one to whom that names: ${name}`, async (t) => {
    const { web, api, client, reading } = await start(t);
    client.write(text + get('web.test', '/next'));
    const first = await connection(api, 0);
    await first.reading.untilLength(text.length);
    assert.equal(web.connections.length, 0, 'before the answer');
    first.socket.write(OK);
    const second = await connection(web, 0);
    assert.equal(await second.reading.until('\r\n\r\n'), get('web.test', '/next'));
    assert.equal(first.reading.text, text);
    second.socket.write(OK);
    await reading.until(OK + OK);
  });
}

/** Where one reader sees a message end, or a name, another one may not. */
const AMBIGUOUS: Record<string, string> = {
  'a length and a coding': post(`Content-Length: 5\r\n${CHUNKED}`, `0\r\n\r\n${SMUGGLED}`),
  'two lengths': post(`Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
  'a length with a sign': post(`Content-Length: +${SMUGGLED.length}\r\n`, SMUGGLED),
  'a length behind a no-break space': post(`Content-Length: \xa0${SMUGGLED.length}\r\n`, SMUGGLED),
  'a coding behind a vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding with a blank before its colon': post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding that is folded': post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding behind a carriage return': post('X: y\rTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding with a NUL in its name': post('Transfer-Encoding\0: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'chunked twice': post('Transfer-Encoding: chunked, chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding that is no token': post('Transfer-Encoding: gzip chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a field that ends with a bare line feed': post('X: y\nContent-Length: 0\r\n', SMUGGLED),
  'two Hosts': `GET / HTTP/1.1\r\nHost: api.test\r\nHost: web.test\r\n\r\n${SMUGGLED}`,
  'a Host with a user': get('web.test@api.test') + SMUGGLED,
  'a Host with a NUL': get('web.test\0api.test') + SMUGGLED,
  'two users before the name': `GET http://a@web.test@api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n${SMUGGLED}`,
  'CONNECT with a body': `CONNECT api.test:8080 HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  'a chunk size that 64 bits cannot hold': post(CHUNKED, `1${'0'.repeat(16)}\r\n${SMUGGLED}`),
  'a chunk that ends with a bare line feed': post(CHUNKED, `1\r\nx\n0\r\n\r\n${SMUGGLED}`),
  'a carriage return in a chunk extension': post(CHUNKED, `1;\rx\r\nx\r\n0\r\n\r\n${SMUGGLED}`),
  'a request in the place of trailers': post(CHUNKED, `0\r\n${SMUGGLED}`),
  'a head over 64 KiB': get('api.test', '/', `X: ${'x'.repeat(65_536)}\r\n`) + SMUGGLED,
};

for (const [name, text] of Object.entries(AMBIGUOUS)) {
  test(`a request that can be read in two ways passes as it came, with all that follows, to whom the last one named: ${name}`, async (t) => {
    const { web, api, relay, client, reading } = await start(t);
    client.write(get('api.test'));
    const upstream = await connection(api, 0);
    await upstream.reading.until('\r\n\r\n');
    upstream.socket.write(OK);
    await reading.until(OK);
    client.write(Buffer.from(text + get('web.test', '/next'), 'latin1'));
    await upstream.reading.until('/next');
    await upstream.reading.untilLength(get('api.test').length + text.length + get('web.test', '/next').length);
    assert.equal(upstream.reading.text, get('api.test') + text + get('web.test', '/next'));
    assert.equal(web.connections.length, 0);
    assert.equal(relay.metrics.traffic.observersGivenUp, 1);
  });
}

test('a request is routed by its Host wherever its head is split', async (t) => {
  const { api, relay } = await start(t);
  const text = get('api.test', '/split');
  for (let at = 1; at < text.length; at += 1) {
    const client = await relay.connect(TO_WEB);
    client.write(text.slice(0, at));
    await new Promise((resolve) => setImmediate(resolve));
    client.write(text.slice(at));
    const upstream = await connection(api, at - 1);
    assert.equal(await upstream.reading.until('\r\n\r\n'), text, `split at ${at}`);
    client.destroy();
  }
});

test('what is in a tunnel that CONNECT opened stays in it', async (t) => {
  const { web, api, client, reading } = await start(t);
  const head = 'CONNECT api.test:8080 HTTP/1.1\r\nHost: web.test\r\n\r\n';
  client.write(head);
  const upstream = await connection(api, 0);
  await upstream.reading.until(head);
  upstream.socket.write('HTTP/1.1 200 OK\r\n\r\n');
  await reading.until('OK\r\n\r\n');
  client.write(SMUGGLED);
  assert.equal(await upstream.reading.until(SMUGGLED), head + SMUGGLED);
  assert.equal(web.connections.length, 0);
});

test('once answers cannot be followed, nothing more of a request for another service goes to the old one', async (t) => {
  const { web, api, relay, client } = await start(t);
  const first = get('web.test', '/1');
  const other = post(`Content-Length: ${2 * SMUGGLED.length}\r\n`, SMUGGLED);
  client.write(first + other);
  const upstream = await connection(web, 0);
  await upstream.reading.until('\r\n\r\n');
  upstream.socket.write('what is this\r\n\r\n');
  client.write(SMUGGLED);
  await new Reading(client).over();
  await upstream.reading.over();
  assert.equal(upstream.reading.text, first);
  assert.equal(api.connections.length, 0);
  assert.equal(await relay.metric('lazyscope_egress_refused_total{reason="MessageOrderLost"}'), 1);
});

test('a request behind an upgrade that is refused goes to whom it names, also when the client has ended', async (t) => {
  const { web, api, client, reading } = await start(t);
  const upgrade = get('web.test', '/', 'Connection: upgrade\r\nUpgrade: h2c\r\n');
  client.end(upgrade + get('api.test'));
  const first = await connection(web, 0);
  await first.reading.until('\r\n\r\n');
  first.socket.write(OK);
  const second = await connection(api, 0);
  assert.equal(await second.reading.end(), get('api.test'));
  second.socket.end(OK);
  assert.equal(await reading.end(), OK + OK);
  assert.equal(first.reading.text, upgrade);
});
