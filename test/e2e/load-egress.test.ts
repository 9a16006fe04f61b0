/** An egress under load is afterwards as it was before: nothing of a connection stays behind. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SocketAddress } from '../../controller/core/model.ts';
import type { ConnectionCount } from '../support/apps/connection-load.ts';
import { type App, loadApp } from '../support/apps/load-app.ts';
import type { Gauges } from '../support/apps/resource-gauge.ts';
import { serviceHost } from '../support/bed/api-client.ts';
import { Bed } from '../support/bed/bed.ts';
import { GaugedProgram } from '../support/bed/gauged-program.ts';
import { assertBack } from '../support/bed/gauges-back.ts';
import { answers, getText } from '../support/bed/http-get.ts';
import { KubernetesFolder } from '../support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../support/bed/kubernetes-objects.ts';
import { metricSum } from '../support/bed/metric-sum.ts';
import { CONTROLLER_GRPC_PORT, EGRESS_HTTP_PORT, EGRESS_PORT } from '../support/bed/ports.ts';
import { eventually } from '../support/eventually.ts';

const IDLE = 2_000;
const PER_SECOND = 200;
const SECONDS = 60;
/** Rounds of announcements; a key is forgotten two rounds after its last connection. */
const REPORT_INTERVAL_SECONDS = 1;

/** Ports of the services, which are those of their servers, too. */
const PORTS = { web: 8080, shop: 8080, half: 9000, first: 9001, resetting: 9002, dead: 9003 } as const;

let bed: Bed;
let egress: GaugedProgram;
let url: string;
let client: App<'connection-load'>;

before(async () => {
  bed = await Bed.create();
  const mesh = new KubernetesFolder(bed.folder('mesh'));
  const egressPod = bed.egress();
  const clientPod = bed.pod('client-0', { interception: 'none' });
  const serverPod = bed.pod('server-0', { interception: 'none' });
  const controller = bed.controller(mesh, { egress: egressPod, flags: { 'log-level': 'warn' } });

  const services = new Map<keyof typeof PORTS, SocketAddress>();
  for (const name of Object.keys(PORTS) as (keyof typeof PORTS)[]) {
    const [clusterIP, port] = [bed.clusterIP(), PORTS[name]];
    services.set(name, { address: clusterIP, port });
    const portName = port === 8080 ? 'http' : 'tcp';
    mesh.apply(...serviceObjects({ name, clusterIP, ports: { [portName]: port }, endpoints: [serverPod.address] }));
  }
  const sources = Array.from({ length: 20 }, (_, at) => bed.network.address((2 << 8) + at + 1));
  const crowd = podObject(clientPod);
  const podIPs = [clientPod.address, ...sources].map((ip) => ({ ip }));
  mesh.apply({ ...crowd, status: { ...(crowd['status'] as object), podIPs } }, podObject(serverPod));
  mesh.apply(podObject(egressPod.pod));

  url = `http://${egressPod.pod.address}:${EGRESS_HTTP_PORT}`;
  egress = new GaugedProgram(bed, {
    command: 'egress',
    namespace: egressPod.pod.netns,
    flags: {
      listen: `${egressPod.pod.address}:${EGRESS_PORT}`,
      'http-listen': `${egressPod.pod.address}:${EGRESS_HTTP_PORT}`,
      controller: `${bed.network.hostAddress}:${CONTROLLER_GRPC_PORT}`,
      pod: egressPod.pod.name,
      'report-interval': String(REPORT_INTERVAL_SECONDS),
    },
  });
  const [http, tcp] = await Promise.all([loadApp(serverPod, 'http1-server'), loadApp(serverPod, 'tcp-server')]);
  await http.call('listenHttp1', PORTS.web);
  await tcp.call('listenHalfClosed', PORTS.half);
  await tcp.call('listenServerFirst', PORTS.first);
  await tcp.call('listenResetting', PORTS.resetting);
  const alias = await loadApp(clientPod, 'crowd');
  await alias.call('addAddresses', sources);
  client = await loadApp(clientPod, 'connection-load');

  const to = (name: keyof typeof PORTS): SocketAddress => services.get(name) as SocketAddress;
  await client.call('configure', {
    egress: egressPod.listen,
    sources,
    http: [
      { ...to('web'), host: serviceHost('web') },
      { ...to('shop'), host: serviceHost('shop') },
    ],
    halfClosed: to('half'),
    serverFirst: to('first'),
    resetting: to('resetting'),
    dead: to('dead'),
  });
  await controller.start();
  await eventually('the egress is ready', () => answers(`${url}/readyz`));
});
after(() => bed.destroy());

async function metric(name: string, label = ''): Promise<number> {
  return metricSum(await getText(`${url}/metrics`), `lazyscope_egress_${name}`, label);
}

async function isEmpty(): Promise<boolean> {
  return (await metric('connections')) === 0 && (await metric('report_keys')) === 0;
}

/** What it holds once nothing of the load is left. */
async function atRest(): Promise<Gauges> {
  await eventually('no connection and no report is left', isEmpty, { timeoutMs: 60_000, intervalMs: 200 });
  return egress.gauges();
}

function assertClean({ made, failures }: ConnectionCount, expected: number): void {
  assert.deepEqual([made, failures.slice(0, 5), failures.length], [expected, [], 0]);
}

test('2,000 idle connections and 200 new ones a second for a minute leave nothing behind', async (t) => {
  assertClean(await client.call('churn', 5, PER_SECOND), 5 * PER_SECOND);
  const warm = await atRest();

  await client.call('holdIdle', IDLE);
  assert.equal(await metric('connections'), IDLE);
  assertClean(await client.call('churn', SECONDS, PER_SECOND), SECONDS * PER_SECOND);
  assert.equal(await client.call('endIdle'), IDLE, 'no idle connection was lost');

  const { report } = await assertBack(warm, atRest);
  t.diagnostic(report);
  // Ten ways in turns: two of them never reach a server.
  assert.equal(await metric('connections_total'), (5 + SECONDS) * PER_SECOND * 0.8 + IDLE);
  assert.equal(await metric('refused_total', 'BrokenHeader'), ((5 + SECONDS) * PER_SECOND) / 10);
  assert.equal(await metric('report_dropped_total'), 0);
});
