import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { SocketAddress } from '../../controller/core/model.ts';
import { MAX_READ_BYTES } from '../../egress/socket-options.ts';
import { Upstream } from '../../egress/upstream.ts';
import { startRelay, startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const MEGABYTE = 1024 * 1024;

/** A connected upstream, and the server's side of it. */
async function connected(t: TestContext) {
  const accepted = Promise.withResolvers<Socket>();
  const address: SocketAddress = await startServer(t, accepted.resolve);
  const upstream = new Upstream(address);
  t.after(() => upstream.socket.destroy());
  await once(upstream.socket, 'connect');
  return { upstream, server: await accepted.promise };
}

test('bytes are read into the same memory again and again', async (t) => {
  const { upstream, server } = await connected(t);
  const memories = new Set<ArrayBufferLike>();
  let taken = 0;
  upstream.read((bytes) => {
    memories.add(bytes.buffer);
    taken += bytes.length;
    return false;
  });
  for (let sent = 1; sent <= 20; sent += 1) {
    server.write('x');
    await until(() => taken === sent);
  }
  assert.equal(memories.size, 1);
});

test('bytes that a write still needs stay as they are', async (t) => {
  const { upstream, server } = await connected(t);
  const kept: Buffer[] = [];
  upstream.read((bytes) => kept.push(bytes) > 0);
  let sent = '';
  for (const piece of ['a', 'b', 'c'.repeat(5_000), 'd'.repeat(100_000), 'e']) {
    sent += piece;
    server.write(piece);
    await until(() => kept.reduce((sum, bytes) => sum + bytes.length, 0) === sent.length);
  }
  assert.equal(Buffer.concat(kept).toString(), sent);
});

test('memory grows with the messages, up to what a single read is allowed', async (t) => {
  const { upstream, server } = await connected(t);
  let taken = 0;
  let largest = 0;
  let memory = 0;
  upstream.read((bytes) => {
    taken += bytes.length;
    largest = Math.max(largest, bytes.length);
    memory = bytes.buffer.byteLength;
    return false;
  });
  server.write('x');
  await until(() => taken === 1);
  assert.ok(memory <= 4_096, `${memory} bytes for a small message`);
  server.write(Buffer.alloc(8 * MEGABYTE));
  await until(() => taken === 1 + 8 * MEGABYTE);
  assert.equal(memory, MAX_READ_BYTES);
  assert.ok(largest <= MAX_READ_BYTES);
});

test('a message of 8 KiB leaves no more than 16 KiB behind, and small ones after a large one take that back', async (t) => {
  const { upstream, server } = await connected(t);
  let taken = 0;
  let memory = 0;
  upstream.read((bytes) => {
    taken += bytes.length;
    memory = bytes.buffer.byteLength;
    return false;
  });
  const send = async (bytes: number): Promise<void> => {
    const all = taken + bytes;
    server.write(Buffer.alloc(bytes));
    await until(() => taken === all);
  };
  await send(8 * 1024);
  await send(1);
  assert.ok(memory <= 16 * 1024, `${memory} bytes`);
  await send(MEGABYTE);
  for (let sent = 0; sent < 40; sent += 1) await send(1);
  assert.equal(memory, 4 * 1024);
});

test('nothing is read before somebody takes it', async (t) => {
  const { upstream, server } = await connected(t);
  server.end('hello');
  await once(server, 'finish');
  let taken = '';
  upstream.read((bytes) => {
    taken += bytes.toString();
    return false;
  });
  await once(upstream.socket, 'end');
  assert.equal(taken, 'hello');
});

test('a client that reads slowly gets what the server has sent, byte for byte', async (t) => {
  const sent = randomBytes(24 * MEGABYTE);
  const server = await startServer(t, (socket) => void socket.end(sent));
  // Reading goes on while bytes wait.
  const relay = await startRelay(t, { bufferBytes: MEGABYTE });
  const client = await relay.connect(server);
  const hash = createHash('sha256');
  let untilPause = MEGABYTE;
  client.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    untilPause -= chunk.length;
    if (untilPause > 0) return;
    untilPause = MEGABYTE;
    client.pause();
    setTimeout(() => client.resume(), 10);
  });
  await once(client, 'end');
  assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
  assert.ok(relay.metrics.traffic.pauses > 0, 'it was slow enough');
});
