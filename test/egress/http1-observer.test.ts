import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Http1Observer, MAX_UNANSWERED } from '../../egress/http1-observer.ts';
import { usedHeap } from './support/used-heap.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Every request, each followed by the body it announces; all hosts differ, so that heads can be told apart. */
const REQUESTS = [
  'GET /1 HTTP/1.1\r\nHost: one\r\n\r\n',
  'POST /2 HTTP/1.1\r\nHost: two\r\nContent-Length: 5\r\n\r\nhello',
  'PUT /3 HTTP/1.1\r\nHost: three\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\nA\r\n01234\r\n789\r\n0\r\nTrailer: x\r\n\r\n',
  'HEAD /4 HTTP/1.1\r\nHost: four\r\n\r\n',
  'DELETE /5 HTTP/1.1\r\nHost: five\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
];

const RESPONSES = [
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nServer-Timing: a\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
];

/** Feeds requests in these pieces. @returns hosts and ends in order, with the offset of each in the whole */
function observe(observer: Http1Observer, pieces: readonly Buffer[]): string[] {
  const events: string[] = [];
  let held = Buffer.alloc(0);
  let before = 0;
  for (const piece of pieces) {
    const bytes = Buffer.concat([held, piece]);
    const start = before - held.length;
    let at = 0;
    for (;;) {
      at = observer.nextRequest(bytes, at);
      if (observer.event === 'More' || observer.event === 'Broken') break;
      events.push(`${observer.event} ${observer.request?.host} ${start + at}`);
      if (observer.event === 'Head' && observer.request) observer.admit(observer.request);
    }
    if (observer.event === 'Broken') return [...events, 'Broken'];
    held = bytes.subarray(at);
    before += piece.length;
  }
  return events;
}

/** Cuts at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end));
}

const stream = bytesOf(REQUESTS.join(''));
const answers = bytesOf(RESPONSES.join(''));

test('finds every request and its end', () => {
  const hosts = ['one', 'two', 'three', 'four', 'five'];
  let end = 0;
  const expected = REQUESTS.flatMap((text, at) => {
    const head = end + text.indexOf('\r\n\r\n') + 4;
    end += text.length;
    return [`Head ${hosts[at]} ${head}`, `End ${hosts[at]} ${end}`];
  });
  assert.deepEqual(observe(new Http1Observer(), [stream]), expected);
});

test('finds the same wherever the bytes are split', () => {
  const whole = observe(new Http1Observer(), [stream]);
  for (let at = 1; at < stream.length; at += 1) {
    assert.deepEqual(observe(new Http1Observer(), cut(stream, [at])), whole, `split at ${at}`);
  }
  const places = fc.array(fc.nat(stream.length), { maxLength: 20 });
  fc.assert(fc.property(places, (at) => assert.deepEqual(observe(new Http1Observer(), cut(stream, at)), whole)));
});

test('counts responses along, wherever they are split', () => {
  const places = fc.array(fc.nat(answers.length), { maxLength: 20 });
  fc.assert(
    fc.property(places, (at) => {
      const observer = new Http1Observer();
      observe(observer, [stream]);
      assert.equal(observer.unanswered, 5);
      for (const piece of cut(answers, at)) {
        const memory = Buffer.from(piece);
        observer.readResponses(memory);
        // As the next bytes do.
        memory.fill(0);
      }
      assert.deepEqual([observer.answered, observer.isIdle, observer.hasGivenUp], [5, true, false]);
    }),
  );
});

test('a response that ends with the bytes is seen to end', () => {
  const observer = new Http1Observer();
  observe(observer, [bytesOf('GET / HTTP/1.1\r\n\r\n')]);
  observer.readResponses(bytesOf('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab'));
  assert.equal(observer.isIdle, true);
  assert.equal(observer.isClosing, false);
});

test('a response until close never ends by itself', () => {
  const observer = new Http1Observer();
  observe(observer, [bytesOf('GET / HTTP/1.1\r\n\r\n')]);
  observer.readResponses(bytesOf('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  assert.deepEqual([observer.isIdle, observer.isClosing, observer.hasGivenUp], [false, true, false]);
});

test('an upgrade becomes a tunnel when the server agrees, else a message like others', () => {
  const upgrade = bytesOf('GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const agreed = new Http1Observer();
  observe(agreed, [upgrade]);
  assert.equal(agreed.awaitsTunnel, true);
  agreed.readResponses(bytesOf('HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello'));
  assert.deepEqual([agreed.isTunnel, agreed.hasGivenUp], [true, false]);

  const refused = new Http1Observer();
  observe(refused, [upgrade]);
  refused.readResponses(bytesOf('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n'));
  assert.deepEqual([refused.isTunnel, refused.awaitsTunnel, refused.isIdle], [false, false, true]);
});

test('gives up on requests that it does not understand', () => {
  const table: readonly [string, string][] = [
    ['bad request line', 'GARBAGE\r\n\r\n'],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['a leading line feed', '\n'],
    ['a head over 64 KiB', `GET / HTTP/1.1\r\nX: ${'x'.repeat(65_536)}`],
    ['a complete head over 64 KiB', `GET / HTTP/1.1\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`],
    ['a chunk without size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk that is longer', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n'],
    ['a chunk size with a bare line feed', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\na'],
    ['a chunk size with a carriage return', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;\ra\r\n'],
    ['a negative chunk size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n'],
    ['a huge chunk size', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${'f'.repeat(14)}\r\n`],
    [
      'a chunk size that 64 bits cannot hold',
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1${'0'.repeat(16)}\r\n`,
    ],
    ['a long chunk extension', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`],
    [
      'a request in the place of trailers',
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n',
    ],
    ['a folded trailer', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\n'],
    ['an endless trailer', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'x'.repeat(20_000)}`],
  ];
  for (const [name, text] of table) {
    const observer = new Http1Observer();
    assert.equal(observe(observer, [bytesOf(text)]).at(-1), 'Broken', name);
    assert.equal(observer.hasGivenUp, true, name);
  }
});

test('a head of just 64 KiB is understood wherever it is split, one of a byte more nowhere', () => {
  const head = (length: number): Buffer => bytesOf(`GET / HTTP/1.1\r\nX: ${'x'.repeat(length - 19)}\r\n\r\n`);
  for (const [length, events] of [
    [65_536, [`Head  ${65_540}`, `End  ${65_540}`]],
    [65_537, ['Broken']],
  ] as const) {
    const bytes = head(length);
    for (const behind of [0, 1, 2, 3, 4, 5]) {
      const found = observe(new Http1Observer(), cut(bytes, [bytes.length - behind]));
      assert.deepEqual(found, events, `${length} bytes, split ${behind} before the end`);
    }
  }
});

test('gives up where more than 1,000 requests wait for their answer, and not before', () => {
  const observer = new Http1Observer();
  const one = bytesOf('GET / HTTP/1.1\r\n\r\n');
  observe(observer, [Buffer.concat(Array.from({ length: MAX_UNANSWERED }, () => one))]);
  assert.deepEqual([observer.unanswered, observer.hasGivenUp], [MAX_UNANSWERED, false]);
  observer.readResponses(bytesOf('HTTP/1.1 204 No Content\r\n\r\n'));
  observe(observer, [one]);
  assert.equal(observer.hasGivenUp, false, 'an answer makes room');
  assert.deepEqual(observe(observer, [one]), ['Broken']);
  assert.equal(observer.unanswered, MAX_UNANSWERED);
});

test('of requests that wait for their answer no text is kept', () => {
  const observer = new Http1Observer();
  const host = (number: number): string => `a-rather-long-name-${number}`;
  const before = usedHeap();
  for (let number = 0; number < MAX_UNANSWERED; number += 1) {
    observe(observer, [bytesOf(`GET / HTTP/1.1\r\nHost: ${host(number)}\r\nX: ${'x'.repeat(60_000)}\r\n\r\n`)]);
  }
  assert.equal(observer.unanswered, MAX_UNANSWERED);
  assert.ok(usedHeap() - before < 5_000_000);
});

test('gives up on responses that it does not understand', () => {
  const table: readonly [string, string][] = [
    ['no status line', 'hello\r\n\r\n'],
    ['an answer that nobody asked for', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'.repeat(2)],
    ['a head over 64 KiB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`],
    ['an upgrade that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ];
  for (const [name, text] of table) {
    const observer = new Http1Observer();
    observe(observer, [bytesOf('GET / HTTP/1.1\r\n\r\n')]);
    observer.readResponses(bytesOf(text));
    assert.equal(observer.hasGivenUp, true, name);
  }
});

test('arbitrary bytes never throw', () => {
  const start = fc.constantFrom('', 'GET / HTTP/1.1\r\n', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n');
  const tail = fc.oneof(fc.uint8Array(), fc.string({ unit: fc.constantFrom('\r', '\n', '0', 'a', ':', ' ', ';') }));
  fc.assert(
    fc.property(start, tail, fc.array(fc.nat(60)), (head, rest, places) => {
      const observer = new Http1Observer();
      const bytes = Buffer.concat([bytesOf(head), Buffer.from(rest)]);
      observe(
        observer,
        cut(
          bytes,
          places.filter((at) => at < bytes.length),
        ),
      );
      if (!observer.hasGivenUp) observer.readResponses(bytes);
    }),
    { numRuns: 1_000 },
  );
});

test('reads the same response head anew where it answers another kind of request', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n';
  const observer = new Http1Observer();
  const get = 'GET / HTTP/1.1\r\nHost: one\r\n\r\n';
  observe(observer, [bytesOf(`${get}HEAD / HTTP/1.1\r\nHost: one\r\n\r\n${get}CONNECT one:80 HTTP/1.1\r\n\r\n`)]);
  observer.readResponses(bytesOf(`${head}body${head}${head}body`));
  assert.deepEqual([observer.answered, observer.unanswered, observer.hasGivenUp], [3, 1, false]);
  observer.readResponses(bytesOf(head));
  assert.equal(observer.isTunnel, true);
});

test('tells every request of a client that repeats itself, and the others in between', () => {
  const [same = '', other = ''] = REQUESTS;
  const hosts = observe(new Http1Observer(), [bytesOf([same, same, other, same].join(''))])
    .filter((event) => event.startsWith('Head'))
    .map((event) => event.split(' ')[1]);
  assert.deepEqual(hosts, ['one', 'one', 'two', 'one']);
});
