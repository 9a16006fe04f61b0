/** A sidecar with nothing but its bootstrap: no controller has ever answered it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadApp } from '../support/apps/load-app.ts';
import { Bed } from '../support/bed/bed.ts';
import type { Pod } from '../support/bed/pod.ts';
import { staticBootstrap } from '../support/bed/static-bootstrap.ts';
import { readProxyHeader } from '../support/proxy-header.ts';

const EGRESS_PORT = 15080;

let bed: Bed;
let pod: Pod;
let egress: Pod;

before(async () => {
  bed = await Bed.create();
  egress = bed.pod('egress-0', { interception: 'none' });
  pod = bed.pod('cart-0', { interception: 'both' });
  await pod.startEnvoy(staticBootstrap(bed, pod, { address: egress.address, port: EGRESS_PORT }));
});
after(() => bed.destroy());

test('What the pod dials reaches the egress, which learns pod and original destination', async () => {
  const server = await loadApp(egress, 'capture-server');
  await server.call('listenCapture', EGRESS_PORT, 'hello');
  const client = await loadApp(pod, 'raw-client');
  const destination = { address: bed.clusterIP(), port: 9_000 };

  const answer = await client.call('sendRaw', destination, Buffer.from('anybody there?'), 5);

  assert.equal(answer.received, 'hello');
  const header = readProxyHeader(await server.call('takeHead'));
  assert.equal(header.source.address, pod.address);
  assert.deepEqual(header.destination, destination);
});

test('What dials the pod reaches its application byte for byte, through virtualInbound', async () => {
  const server = await loadApp(pod, 'tcp-server');
  await server.call('listenServerFirst', 9_001);
  const client = await loadApp(egress, 'tcp-client');

  const { greeting, sentHash, receivedHash } = await client.call(
    'echoExchange',
    { address: pod.address, port: 9_001 },
    '220 ready\r\n'.length,
    1_000_000,
  );

  assert.equal(greeting, '220 ready\r\n');
  assert.equal(receivedHash, sentHash);
  assert.equal(await pod.envoy.admin.stat('cluster.InboundPassthroughCluster.upstream_cx_total'), 1);
});
