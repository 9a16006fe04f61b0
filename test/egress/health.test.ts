import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createHealthServer } from '../../egress/health.ts';
import { keptConnection } from '../support/kept-connection.ts';

test('serves so many connections at a time; those beyond are closed and counted', async (t) => {
  let dropped = 0;
  const onDropped = (): void => {
    dropped += 1;
  };
  const server = createHealthServer({ checks: () => [], registry: new Registry(), maxConnections: 2, onDropped });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = (): ReturnType<typeof connect> => connect(port, '127.0.0.1').on('error', () => undefined);
  const [first, second] = [open(), open()];
  await Promise.all([once(first, 'connect'), once(second, 'connect')]);
  const third = open();
  await once(third, 'close');
  assert.equal(dropped, 1);
  first.destroy();
  second.destroy();
  t.after(() => server.close());
});

test('when no more is let in, connections that are kept without use are closed: probes get through', async (t) => {
  const options = { checks: () => [], registry: new Registry(), maxConnections: 1, onDropped: () => undefined };
  const server = createHealthServer(options).listen(0, '127.0.0.1');
  // Otherwise it would be closed after 5 s in any case.
  server.keepAliveTimeout = 0;
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kept = await keptConnection(port);
  const closed = once(kept, 'close', { signal: AbortSignal.timeout(20_000) });
  await once(
    connect(port, '127.0.0.1').on('error', () => undefined),
    'close',
  );
  await closed;
  assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
});
