/** The egress serves pods for themselves only, and not to everywhere. Tried from a pod, past its sidecar. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SocketAddress } from '../../controller/core/model.ts';
import { type App, loadApp } from '../support/apps/load-app.ts';
import type { RawAnswer } from '../support/apps/raw-client.ts';
import { serviceObjects } from '../support/bed/kubernetes-objects.ts';
import { ENVOY_USER } from '../support/bed/network.ts';
import { CONTROLLER_GRPC_PORT, EGRESS_HTTP_PORT, EGRESS_PORT } from '../support/bed/ports.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { proxyHeader } from '../support/proxy-header.ts';

const PORT = 8080;
const SOURCE_PORT = 40_000;
const REFUSED: RawAnswer['end'][] = ['ended', 'error'];

let mesh: SmallMesh;
let attacker: App<'raw-client'>;

before(async () => {
  mesh = await SmallMesh.start({
    services: { cart: { ports: { http: PORT } }, secret: { ports: { http: PORT } } },
  });
  await exposeForbidden();
  attacker = await loadApp(mesh.client, 'raw-client', { user: ENVOY_USER });
  const server = await loadApp(mesh.server, 'http1-server');
  await server.call('listenHttp1', PORT);
});
after(() => mesh.destroy());

/** Services may have any endpoints: whoever may write one must not reach through it what is never relayed. */
async function exposeForbidden(): Promise<void> {
  const services = FORBIDDEN_ENDPOINTS.map(({ name, address, port }) => {
    const clusterIP = mesh.bed.clusterIP();
    forbidden.set(name, { address: clusterIP, port });
    return serviceObjects({ name, clusterIP, ports: { tcp: port }, endpoints: [address()] });
  });
  const ports = await mesh.egress.metric('lazyscope_egress_table_service_ports');
  mesh.folder.write('forbidden.yaml', services.flat());
  await eventually('the egress knows the services', async () => {
    return (await mesh.egress.metric('lazyscope_egress_table_service_ports')) === ports + services.length;
  });
}

const forbidden = new Map<string, SocketAddress>();
const FORBIDDEN_ENDPOINTS: readonly { readonly name: string; readonly address: () => string; readonly port: number }[] =
  [
    { name: 'the-egress', address: () => mesh.egress.pod.address, port: EGRESS_PORT },
    { name: 'the-controller', address: () => mesh.bed.network.hostAddress, port: CONTROLLER_GRPC_PORT },
    { name: 'loopback', address: () => '127.0.0.1', port: EGRESS_HTTP_PORT },
    { name: 'metadata', address: () => '169.254.169.254', port: 80 },
  ];

function httpGet(host: string): Buffer {
  return Buffer.from(`GET /peer HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
}

/** Asks the egress for a destination on behalf of a source, as a sidecar would. */
async function ask(source: string, destination: SocketAddress, request: Buffer): Promise<RawAnswer> {
  const header = proxyHeader({ address: source, port: SOURCE_PORT }, destination);
  return attacker.call('sendRaw', mesh.egress.listen, Buffer.concat([header, request]), 'HTTP/1.1 200'.length);
}

function assertRefused({ received, end }: RawAnswer): void {
  assert.equal(received, '');
  assert.ok(REFUSED.includes(end), `the connection is closed, not ${end}`);
}

test('A pod that speaks for itself is served', async () => {
  const cart = mesh.service('cart');
  const answer = await ask(mesh.client.address, cart, httpGet(cart.host));
  assert.match(answer.received, /^HTTP\/1.1 200/);
});

test('A forged PROXY source is refused, and poisons nothing', async () => {
  const secret = mesh.service('secret');
  const refused = await mesh.egress.refusals();

  assertRefused(await ask(mesh.server.address, secret, httpGet(secret.host)));

  await eventually('the refusal is counted', async () => (await mesh.egress.refusals()) > refused);
  // What is reported keeps its order: an honest connection that has arrived was reported after the forged one.
  await mesh.learned('cart');
  const cart = mesh.service('cart');
  await ask(mesh.client.address, { address: mesh.server.address, port: PORT }, httpGet(cart.address));
  await eventually('a later connection is known', async () =>
    (await mesh.controller.api.edges(mesh.client.workload)).find((edge) => edge.relayReason === 'PodIP'),
  );
  assert.deepEqual(await mesh.controller.api.edges(mesh.server.workload), []);
});

test('A connection without a PROXY header is refused', async () => {
  assertRefused(await attacker.call('sendRaw', mesh.egress.listen, httpGet(mesh.service('cart').host), 1));
});

const NEVER_RELAYED: readonly { readonly what: string; readonly address: () => string; readonly port: number }[] = [
  { what: 'itself, which would loop', address: () => mesh.egress.pod.address, port: EGRESS_PORT },
  { what: 'its own metrics port', address: () => mesh.egress.pod.address, port: EGRESS_HTTP_PORT },
  { what: 'the controller', address: () => mesh.bed.network.hostAddress, port: CONTROLLER_GRPC_PORT },
  { what: 'loopback', address: () => '127.0.0.1', port: EGRESS_HTTP_PORT },
  { what: 'the unspecified address', address: () => '0.0.0.0', port: EGRESS_HTTP_PORT },
  { what: 'link-local addresses, where clouds keep credentials', address: () => '169.254.169.254', port: 80 },
  { what: 'multicast', address: () => '224.0.0.1', port: PORT },
  { what: 'broadcast', address: () => '255.255.255.255', port: PORT },
];

for (const { what, address, port } of NEVER_RELAYED) {
  test(`The egress never relays to ${what}`, async () => {
    const refused = await mesh.egress.refusals('NeverRelayed');
    assertRefused(await ask(mesh.client.address, { address: address(), port }, httpGet('anything')));
    await eventually('the refusal is counted', async () => (await mesh.egress.refusals('NeverRelayed')) > refused);
  });
}

test('What a sidecar hands over for a link-local address is refused', async () => {
  const application = await loadApp(mesh.client, 'raw-client');
  const refused = await mesh.egress.refusals('NeverRelayed');
  assertRefused(await application.call('sendRaw', { address: '169.254.169.254', port: 80 }, httpGet('metadata'), 1));
  await eventually('the refusal is counted', async () => (await mesh.egress.refusals('NeverRelayed')) > refused);
});

for (const { name } of FORBIDDEN_ENDPOINTS) {
  test(`The egress never relays to what is forbidden behind a Service: ${name}`, async () => {
    const refused = await mesh.egress.refusals();
    const destination = forbidden.get(name);
    assert.ok(destination);
    assertRefused(await ask(mesh.client.address, destination, httpGet('anything')));
    await eventually('the refusal is counted', async () => (await mesh.egress.refusals()) > refused);
  });
}
