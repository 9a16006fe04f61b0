import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readCorpus } from '../fuzz/support/corpus.ts';
import { startRelay } from './support/relay.ts';
import { connection, scripted } from './support/web-and-api.ts';

const HELLOS = readCorpus('client-hello', 'hex');

/** An address of no service, on a port number that is HTTP elsewhere, and a service that is called by name alone. */
async function start(t: TestContext) {
  const [elsewhere, vault] = [await scripted(t), await scripted(t)];
  const { address, port } = elsewhere;
  const relay = await startRelay(t, { services: [{ name: 'web', port, protocol: 'HTTP', clusterIP: '10.96.0.1' }] });
  const cluster = `outbound|${port}||a.example`;
  relay.table.set(cluster, {
    service: 'test/a.example',
    port,
    protocol: 'TLS',
    clusterIPs: ['10.96.0.2'],
    hosts: ['a.example', 'public.example'],
    headless: false,
    relayable: true,
  });
  relay.table.setEndpoints(cluster, [vault]);
  return { relay, elsewhere, vault, destination: { address, port } };
}

/** Hellos of the corpus, and the name that is read in them; `undefined` where there is none to go by. */
const NAMES: Record<string, string | undefined> = {
  'a server name': 'a.example',
  'a server name behind other extensions': 'a.example',
  'early data behind it': 'a.example',
  'records of 1 byte': 'a.example',
  'records of 50 bytes': 'a.example',
  'ECH, with the name outside': 'public.example',
  GREASE: 'a.example',
  'padding to 4 KiB': 'a.example',
  'TLS 1.2': 'a.example',
  capitals: 'A.Example',
  'a trailing dot': 'a.example.',
  'no server name': undefined,
  'no extensions': undefined,
  'ECH without a name outside': undefined,
  'a record without payload': undefined,
  'an IPv4 address': undefined,
  'an IPv6 address': undefined,
  'a NUL in the name': undefined,
  'a name of 256 bytes': undefined,
  'an empty name': undefined,
  'a name of another type': undefined,
  'a hello of 16 MiB': undefined,
};

for (const [title, name] of Object.entries(NAMES)) {
  test(`a hello goes ${name === undefined ? 'to the address that was dialled' : `to ${name}`}, untouched: ${title}`, async (t) => {
    const { relay, elsewhere, vault, destination } = await start(t);
    const hello = HELLOS.get(title);
    assert.ok(hello);
    const client = await relay.connect(destination);
    client.write(hello);
    const upstream = await connection(name === undefined ? elsewhere : vault, 0);
    await upstream.reading.untilLength(hello.length);
    assert.deepEqual(upstream.reading.bytes, hello);
    assert.equal((name === undefined ? vault : elsewhere).connections.length, 0);
    const [entry] = relay.report.take(1);
    assert.deepEqual([entry?.protocol, entry?.serverName], ['TLS', name]);
  });
}

for (const title of ['SSL 2', 'DTLS', 'a server hello']) {
  test(`what is no hello is TCP: ${title}`, async (t) => {
    const { relay, elsewhere, destination } = await start(t);
    const bytes = HELLOS.get(title);
    assert.ok(bytes);
    const client = await relay.connect(destination);
    client.write(bytes);
    const upstream = await connection(elsewhere, 0);
    await upstream.reading.untilLength(bytes.length);
    assert.equal(relay.report.take(1)[0]?.protocol, 'TCP');
  });
}

test('a hello is read wherever it is split', async (t) => {
  const { relay, vault, destination } = await start(t);
  const hello = HELLOS.get('records of 50 bytes');
  assert.ok(hello);
  for (let at = 1; at < hello.length; at += 1) {
    const client = await relay.connect(destination);
    client.write(hello.subarray(0, at));
    await new Promise((resolve) => setImmediate(resolve));
    client.write(hello.subarray(at));
    const upstream = await connection(vault, at - 1);
    await upstream.reading.untilLength(hello.length);
    assert.ok(upstream.reading.bytes.equals(hello), `split at ${at}`);
    upstream.socket.end();
    client.destroy();
  }
});
