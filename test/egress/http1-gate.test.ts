import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeConnection } from './support/fake-connection.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const request = (host: string, path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function connected(host: string): FakeConnection {
  const connection = new FakeConnection();
  connection.attached = host;
  return connection;
}

test('pipelined requests to one host pass at once', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf(request('a') + request('a', '/2')));
  assert.equal(connection.text, request('a') + request('a', '/2'));
  assert.equal(connection.gate.isBlocked, false);
});

test('a request for another host waits for the response before it', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf(request('a') + request('b') + request('b', '/2')));
  assert.deepEqual(connection.sent, [{ host: 'a', text: request('a') }]);
  assert.equal(connection.gate.isBlocked, true);
  connection.gate.fromUpstream(bytesOf(OK.slice(0, -1)));
  assert.equal(connection.replacements, 0);
  connection.gate.fromUpstream(bytesOf(OK.slice(-1)));
  assert.equal(connection.replacements, 1);
  connection.gate.proceed();
  assert.deepEqual(connection.sent.at(-1), { host: 'b', text: request('b') + request('b', '/2') });
  assert.equal(connection.gate.isBlocked, false);
});

test('after an announced close nothing is replaced', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf(request('a') + request('b')));
  connection.gate.fromUpstream(bytesOf('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
  assert.equal(connection.replacements, 0);
  assert.equal(connection.gate.isIdle, false);
});

test('only an idempotent request to an upstream that was used before can be replayed, until its answer begins', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf(request('a')));
  assert.equal(connection.gate.isReplayable, false, 'a fresh upstream');
  connection.gate.fromUpstream(bytesOf(OK));
  connection.gate.fromClient(bytesOf(request('a', '/2')));
  assert.equal(connection.gate.isReplayable, true);
  connection.gate.fromUpstream(bytesOf('H'));
  assert.equal(connection.gate.isReplayable, false, 'the answer has begun');
  connection.gate.fromUpstream(bytesOf(OK.slice(1)));
  connection.gate.fromClient(bytesOf('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx'));
  assert.equal(connection.gate.isReplayable, false, 'a POST may have been carried out');
});

test('a request is replayed whole, and what came meanwhile follows', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf(request('a')));
  connection.gate.fromUpstream(bytesOf(OK));
  const [head, body] = ['PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n', 'abcdef'];
  connection.gate.fromClient(bytesOf(head));
  connection.gate.fromClient(bytesOf(body.slice(0, 3)));
  assert.equal(connection.gate.isReplayable, true);
  connection.sent.length = 0;
  connection.gate.awaitReplay();
  connection.gate.fromClient(bytesOf(body.slice(3)));
  assert.equal(connection.text, '');
  connection.gate.proceed();
  assert.equal(connection.text, head + body);
  assert.equal(connection.gate.isReplayable, false, 'once is enough');
});

test('a request that is too long is not kept', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf(request('a')));
  connection.gate.fromUpstream(bytesOf(OK));
  connection.gate.fromClient(
    bytesOf(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`),
  );
  assert.equal(connection.gate.isReplayable, false);
});

test('what follows an upgrade request waits for its answer', () => {
  const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
  const agreed = connected('a');
  agreed.gate.fromClient(bytesOf(`${upgrade}early`));
  assert.equal(agreed.text, upgrade);
  agreed.gate.fromUpstream(bytesOf('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
  assert.equal(agreed.text, `${upgrade}early`);
  assert.equal(agreed.gate.isTransparent, true);

  const refused = connected('a');
  refused.gate.fromClient(bytesOf(upgrade + request('a')));
  refused.gate.fromUpstream(bytesOf(OK));
  assert.equal(refused.text, upgrade + request('a'));
  assert.equal(refused.gate.isTransparent, false);
});

test('what is not understood passes unchanged', () => {
  for (const text of ['\x00\x01\x02', 'GET / HTTP/1.1\nHost: a\n\n', `${request('a')}GARBAGE\r\n\r\nmore`]) {
    const connection = connected('a');
    connection.gate.fromClient(bytesOf(text));
    connection.gate.fromClient(bytesOf('tail'));
    assert.equal(connection.text, `${text}tail`);
    assert.equal(connection.gate.isTransparent, true);
  }
});

test('a request for another host is never sent to the wrong one when the responses cannot be followed', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf(request('a') + request('b')));
  connection.gate.fromUpstream(bytesOf('what is this\r\n\r\n'));
  connection.gate.fromClient(bytesOf(request('a', '/smuggled')));
  connection.gate.fromUpstream(bytesOf(OK));
  connection.gate.clientEnded();
  assert.equal(connection.text, request('a'));
  assert.equal(connection.lostRequests, 1);
  assert.deepEqual([connection.gate.isBlocked, connection.gate.isTransparent], [true, false]);
});

test('an incomplete head passes when the client ends', () => {
  const connection = connected('a');
  connection.gate.fromClient(bytesOf('GET / HTTP/1.1\r\nHos'));
  assert.equal(connection.text, '');
  connection.gate.clientEnded();
  assert.equal(connection.text, 'GET / HTTP/1.1\r\nHos');
});

test('whatever the splits, every host gets exactly its requests, in order', () => {
  const exchange = fc.record({
    host: fc.constantFrom('a', 'b', 'c'),
    body: fc.option(fc.string({ unit: fc.constantFrom('x', '\r', '\n', 'G'), maxLength: 40 }), { nil: undefined }),
    isChunked: fc.boolean(),
  });
  const run = fc.property(
    fc.array(exchange, { minLength: 1, maxLength: 8 }),
    fc.array(fc.nat(900), { maxLength: 12 }),
    (exchanges, places) => {
      const requests = exchanges.map(({ host, body, isChunked }) => {
        if (body === undefined) return { host, text: request(host) };
        const head = `PUT / HTTP/1.1\r\nHost: ${host}\r\n`;
        const chunk = body.length > 0 ? `${body.length.toString(16)}\r\n${body}\r\n` : '';
        const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
        return { host, text: isChunked ? chunked : `${head}Content-Length: ${body.length}\r\n\r\n${body}` };
      });
      const connection = connected('a');
      const stream = bytesOf(requests.map(({ text }) => text).join(''));
      const cuts = [0, ...places.filter((at) => at < stream.length).sort((a, b) => a - b), stream.length];
      for (const [at, end] of cuts.slice(1).entries()) connection.gate.fromClient(stream.subarray(cuts[at], end));
      // Answer one by one; whenever the gate asks for another upstream it gets it at once.
      for (let answered = 0, replaced = 0; answered < requests.length; ) {
        if (connection.replacements > replaced) {
          replaced = connection.replacements;
          connection.gate.proceed();
        } else {
          connection.gate.fromUpstream(bytesOf(OK));
          answered += 1;
        }
      }
      const expected = requests.reduce<{ host: string; text: string }[]>((joined, { host, text }) => {
        const last = joined.at(-1);
        if (last?.host === host) last.text += text;
        else joined.push({ host, text });
        return joined;
      }, []);
      assert.deepEqual(connection.sent, expected);
    },
  );
  fc.assert(run, { numRuns: 1_000 });
});
