import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http1Follower } from '../../egress/http1-follower.ts';

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

for (const [name, { steps, hosts, end }] of Object.entries(CASES)) {
  test(`follows ${name}`, () => {
    for (const size of [1, 7, 100_000]) {
      const told: string[] = [];
      const follower = new Http1Follower(({ host }) => told.push(host));
      for (const [direction, text] of steps) {
        const bytes = Buffer.from(text, 'latin1');
        for (let at = 0; at < bytes.length; at += size) {
          const part = bytes.subarray(at, at + size);
          if (direction === '>') follower.fromClient(part);
          else follower.fromUpstream(part);
        }
      }
      assert.deepEqual(told, hosts, `in packets of ${size}`);
      assert.deepEqual([follower.isOver, follower.hasGivenUp], [end !== undefined, end === 'given up']);
    }
  });
}
