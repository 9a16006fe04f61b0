import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAccessLogs } from '../../../controller/wire/access-log-decoder.ts';
import { EdgeSet } from './edge-set.ts';
import { framed, recordLogs } from './log-recording.ts';

const { messages, entries, edges } = recordLogs(4_000);

test('one entry in ten is of a new edge', () => {
  assert.equal(entries, 4_000);
  assert.equal(edges.report().edges, 400);
});

test('entries are as large as those of an Envoy', () => {
  const bytes = messages.reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes / entries > 300 && bytes / entries < 340, `${bytes / entries} bytes`);
});

test('the controller reads every entry, and learns just the edges that were recorded', () => {
  const learned = new EdgeSet();
  let read = 0;
  for (const message of messages) {
    const decoded = decodeAccessLogs(message, 'egress');
    assert.deepEqual(decoded.problems, []);
    for (const { source, destination, host = '', protocol } of decoded.entries) {
      assert.ok(protocol === 'HTTP1' || protocol === 'HTTP2');
      learned.add({ source: source.address, destination: destination.address, port: destination.port, host, protocol });
      read += 1;
    }
  }
  assert.equal(read, entries);
  assert.deepEqual(learned.report(), edges.report());
});

test('a file holds each message behind its length', () => {
  assert.deepEqual([...framed([new Uint8Array([7]), new Uint8Array([8, 9])])], [0, 0, 0, 1, 7, 0, 0, 0, 2, 8, 9]);
});
