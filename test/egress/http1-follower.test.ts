import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Http1Follower } from '../../egress/http1-follower.ts';
import type { RequestHead } from '../../egress/http1-head.ts';
import type { Complete } from '../../egress/name-completion.ts';

/** Direction, then bytes. */
type Step = readonly ['>' | '<', string];

const get = (host: string, more = ''): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
const UPGRADE = get('chat', 'Connection: upgrade\r\nUpgrade: websocket\r\n');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n';
const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

interface Case {
  readonly steps: readonly Step[];
  readonly hosts: readonly string[];
  /** Default: it goes on. */
  readonly end?: 'over' | 'given up';
}

const CASES: Record<string, Case> = {
  'one request after another': {
    steps: [
      ['>', get('a')],
      ['<', OK],
      ['>', get('b')],
      ['<', OK],
    ],
    hosts: ['a', 'b'],
  },
  'pipelined requests in one packet': {
    steps: [
      ['>', get('a') + get('b') + get('c')],
      ['<', OK + OK + OK],
    ],
    hosts: ['a', 'b', 'c'],
  },
  'a head in pieces': {
    steps: [
      ['>', 'GET / HTTP/1.1\r\nHo'],
      ['>', 'st: a\r\n\r'],
      ['>', `\n${get('b')}`],
    ],
    hosts: ['a', 'b'],
  },
  'a body that looks like a request': {
    steps: [
      ['>', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${get('no').length}\r\n\r\n${get('no')}`],
      ['>', get('b')],
    ],
    hosts: ['a', 'b'],
  },
  'a body in pieces': {
    steps: [
      ['>', POST],
      ['>', 'he'],
      ['>', `llo${get('b')}`],
    ],
    hosts: ['a', 'b'],
  },
  'a chunked body': {
    steps: [
      ['>', CHUNKED],
      ['>', '5\r\nhello\r\n0'],
      ['>', `\r\n\r\n${get('b')}`],
    ],
    hosts: ['a', 'b'],
  },
  'an upgrade that is agreed to, and what follows it': {
    steps: [
      ['>', UPGRADE],
      ['<', 'HTTP/1.1 101 Switching\r\n\r\n'],
      ['>', get('no')],
    ],
    hosts: ['chat'],
    end: 'over',
  },
  'an upgrade that is refused, and the next request': {
    steps: [
      ['>', UPGRADE],
      ['<', OK],
      ['>', get('b')],
    ],
    hosts: ['chat', 'b'],
  },
  'a request behind an upgrade that is refused': {
    steps: [
      ['>', UPGRADE + get('b')],
      ['<', OK],
    ],
    hosts: ['chat', 'b'],
  },
  'bytes behind an upgrade, before it is agreed to': {
    steps: [
      ['>', `${UPGRADE}hello`],
      ['<', 'HTTP/1.1 101 Switching\r\n\r\n'],
      ['>', get('no')],
    ],
    hosts: ['chat'],
    end: 'over',
  },
  'many bytes behind an upgrade without an answer': {
    steps: [
      ['>', UPGRADE],
      ['>', 'x'.repeat(70_000)],
    ],
    hosts: ['chat'],
    end: 'over',
  },
  CONNECT: {
    steps: [
      ['>', 'CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n'],
      ['<', 'HTTP/1.1 200 OK\r\n\r\n'],
      ['>', 'x'],
    ],
    hosts: ['db:5432'],
    end: 'over',
  },
  'informational responses': {
    steps: [
      ['>', POST],
      ['<', 'HTTP/1.1 100 Continue\r\n\r\n'],
      ['>', 'hello'],
      ['<', OK],
      ['>', get('b')],
    ],
    hosts: ['a', 'b'],
  },
  'a target in absolute form, which overrules Host': {
    steps: [['>', 'GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\n']],
    hosts: ['other'],
  },
  'no host at all': { steps: [['>', 'GET / HTTP/1.0\r\n\r\n']], hosts: [''] },
  'what is no HTTP any more': {
    steps: [
      ['>', get('a')],
      ['>', '\x00\x01'],
    ],
    hosts: ['a'],
    end: 'given up',
  },
  'a response that nobody asked for': {
    steps: [
      ['<', OK],
      ['>', get('no')],
    ],
    hosts: [],
    end: 'given up',
  },
  'a head without end': { steps: [['>', `GET / HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`]], hosts: [], end: 'given up' },
};

/** What a follower passes on and tells, with the steps cut into packets of a size. */
function follow(steps: readonly Step[], size: number, complete?: Complete) {
  const sent: Buffer[] = [];
  const told: string[] = [];
  const owner = {
    forward: (bytes: Buffer) => void sent.push(bytes),
    onRequest: ({ host }: RequestHead) => void told.push(host),
    abort: () => assert.fail('aborted'),
  };
  const follower = new Http1Follower(owner, complete);
  for (const [direction, text] of steps) {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      if (direction === '>') follower.fromClient(part);
      else follower.fromUpstream(part);
    }
  }
  return { follower, told, sent: () => Buffer.concat(sent).toString('latin1') };
}

function fromClient(steps: readonly Step[]): string {
  return steps.map(([direction, text]) => (direction === '>' ? text : '')).join('');
}

const SIZES = [1, 7, 100_000];

for (const [name, { steps, hosts, end }] of Object.entries(CASES)) {
  for (const [how, complete] of [
    ['', undefined],
    [', where names may have to be completed', () => undefined],
  ] as const) {
    test(`follows ${name}${how}; nothing is changed`, () => {
      for (const size of SIZES) {
        const { follower, told, sent } = follow(steps, size, complete);
        assert.deepEqual(told, hosts, `in packets of ${size}`);
        assert.deepEqual([follower.isOver, follower.hasGivenUp], [end !== undefined, end === 'given up']);
        follower.clientEnded();
        assert.equal(sent(), fromClient(steps), `in packets of ${size}`);
      }
    });
  }
}

/** `a` to `a.shop`, and so on. */
const completeAll: Complete = (name) => (/^[a-z]+$/.test(name) ? `${name}.shop` : undefined);

/** What the upstream gets, where every short name is completed. Hosts are told as they were sent. */
const COMPLETED: Record<string, { readonly steps: readonly Step[]; readonly sent: string }> = {
  'one request after another, some of which need it': {
    steps: [
      ['>', get('a')],
      ['<', OK],
      ['>', get('b.other')],
      ['<', OK],
      ['>', get('c')],
    ],
    sent: get('a.shop') + get('b.other') + get('c.shop'),
  },
  'pipelined requests': {
    steps: [['>', get('a') + get('b.other') + get('c')]],
    sent: get('a.shop') + get('b.other') + get('c.shop'),
  },
  'a body that looks like a request': {
    steps: [['>', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${get('no').length}\r\n\r\n${get('no')}${get('b')}`]],
    sent: `POST / HTTP/1.1\r\nHost: a.shop\r\nContent-Length: ${get('no').length}\r\n\r\n${get('no')}${get('b.shop')}`,
  },
  'a chunked body that looks like a request': {
    steps: [['>', `${CHUNKED}1c\r\nGET / HTTP/1.1\r\nHost: no\r\n\r\n\r\n0\r\nHost: no\r\n\r\n${get('b')}`]],
    sent: `${CHUNKED.replace('a\r', 'a.shop\r')}1c\r\nGET / HTTP/1.1\r\nHost: no\r\n\r\n\r\n0\r\nHost: no\r\n\r\n${get('b.shop')}`,
  },
  'an upgrade, and nothing behind it': {
    steps: [
      ['>', UPGRADE],
      ['<', 'HTTP/1.1 101 Switching\r\n\r\n'],
      ['>', get('no')],
    ],
    sent: UPGRADE.replace('chat', 'chat.shop') + get('no'),
  },
  'the next request after an upgrade that is refused, not the one that did not wait': {
    steps: [
      ['>', UPGRADE],
      ['>', get('early')],
      ['<', OK],
      ['<', OK],
      ['>', get('b')],
    ],
    sent: UPGRADE.replace('chat', 'chat.shop') + get('early') + get('b.shop'),
  },
  'nothing after what is not understood': {
    steps: [
      ['>', get('a')],
      ['>', `\x00\x01${get('no')}`],
      ['>', get('no')],
    ],
    sent: `${get('a.shop')}\x00\x01${get('no')}${get('no')}`,
  },
  'nothing in a head of more than 64 KiB': {
    steps: [['>', get('no', `X: ${'x'.repeat(65_536)}\r\n`)]],
    sent: get('no', `X: ${'x'.repeat(65_536)}\r\n`),
  },
  'a head of just less': {
    steps: [['>', get('a', `X: ${'x'.repeat(65_000)}\r\n`)]],
    sent: get('a.shop', `X: ${'x'.repeat(65_000)}\r\n`),
  },
};

for (const [name, { steps, sent }] of Object.entries(COMPLETED)) {
  test(`completes ${name}`, () => {
    for (const size of SIZES) {
      const completed = follow(steps, size, completeAll);
      assert.equal(completed.sent(), sent, `in packets of ${size}`);
      assert.deepEqual(completed.told, follow(steps, size).told);
    }
  });
}

test('of a connection whose names may have to be completed only an incomplete head waits', () => {
  const sent: string[] = [];
  const owner = {
    forward: (bytes: Buffer) => void sent.push(bytes.toString('latin1')),
    onRequest: () => {},
    abort: () => {},
  };
  const follower = new Http1Follower(owner, completeAll);
  const passes = (packet: string, ...expected: readonly string[]): void => {
    follower.fromClient(Buffer.from(packet, 'latin1'));
    assert.deepEqual(sent.splice(0), expected);
  };
  passes('POST / HTTP/1.1\r\nHost: a.other\r\n');
  passes('Content-Length: 5\r\n\r\nhe', 'POST / HTTP/1.1\r\nHost: a.other\r\nContent-Length: 5\r\n\r\nhe');
  passes('l', 'l');
  passes(`lo${get('b.other')}GET`, `lo${get('b.other')}`);
  passes(' / HTTP/1.1\r\nHost: c\r\n\r\n', get('c.shop'));
  passes(get('d.other'), get('d.other'));
});

/** A request of any kind, as it is sent and as it is to arrive. */
const anyRequest = fc
  .record({
    host: fc.constantFrom('a', 'cart', 'a.other', 'cart.shop.svc'),
    hostField: fc.constantFrom('Host: ', 'host:', 'HOST:\t '),
    body: fc.constantFrom('none', 'length', 'chunked'),
    content: fc.stringMatching(/^[ -~\r\n]{1,60}$/),
  })
  .map(({ host, hostField, body, content }) => {
    const framing = body === 'length' ? `Content-Length: ${content.length}\r\n` : 'Transfer-Encoding: chunked\r\n';
    const chunk = `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;
    const rest = body === 'none' ? '\r\n' : `${framing}\r\n${body === 'length' ? content : chunk}`;
    const text = (name: string): string => `POST /${host} HTTP/1.1\r\n${hostField}${name}\r\n${rest}`;
    return { sent: text(host), arrives: text(completeAll(host) ?? host) };
  });

test('any requests in any packets arrive with their names completed and nothing else changed', () => {
  fc.assert(
    fc.property(fc.array(anyRequest, { maxLength: 5 }), fc.integer({ min: 1, max: 200 }), (requests, size) => {
      const steps: readonly Step[] = [['>', requests.map(({ sent }) => sent).join('')]];
      assert.equal(follow(steps, size, completeAll).sent(), requests.map(({ arrives }) => arrives).join(''));
    }),
  );
});
