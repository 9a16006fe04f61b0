import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type CorpusEncoding, readCorpus } from '../fuzz/support/corpus.ts';
import { Reading } from './support/reading.ts';
import { startRelay, startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const CORPORA: readonly (readonly [string, CorpusEncoding])[] = [
  ['http1-requests', 'latin1'],
  ['http1-responses', 'latin1'],
  ['http2', 'hex'],
  ['client-hello', 'hex'],
  ['proxy-protocol', 'hex'],
];
const ADDRESS = { address: '10.96.0.1', port: 8080 };

/** A relay to a server that sends everything back. */
async function startEcho(t: TestContext, mode: 'direct' | 'istio', protocol: 'HTTP' | 'TCP') {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const clusterIP = mode === 'istio' ? echo.address : ADDRESS.address;
  const { port } = mode === 'istio' ? echo : ADDRESS;
  const relay = await startRelay(t, {
    mode,
    services: [{ name: 'web', port, protocol, clusterIP, endpoints: [echo] }],
  });
  return { relay, destination: { address: clusterIP, port } };
}

for (const mode of ['direct', 'istio'] as const) {
  for (const protocol of ['HTTP', 'TCP'] as const) {
    for (const [corpus, encoding] of CORPORA) {
      test(`no byte of ${corpus} is changed or lost in ${mode} mode on a port that is ${protocol}`, async (t) => {
        const { relay, destination } = await startEcho(t, mode, protocol);
        for (const [name, bytes] of readCorpus(corpus, encoding)) {
          const client = await relay.connect(destination);
          const reading = new Reading(client);
          client.end(bytes);
          await reading.end();
          assert.ok(reading.bytes.equals(bytes), name);
        }
        await until(() => relay.relay.size === 0);
        assert.deepEqual([relay.refusals, relay.limits.open], [[], 0]);
      });
    }
  }
}
