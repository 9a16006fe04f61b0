/** Who may cross the hop, and who may talk to the controller: identities of real agents, told by a real controller. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, type ServiceError, status } from '@grpc/grpc-js';
import { CertificateFolder } from '../../controller/tls/certificate-folder.ts';
import { channelCredentials, MUTUAL_TLS_CHANNEL_OPTIONS } from '../../controller/tls/channel-credentials.ts';
import { encodeIdentifier } from '../../controller/wire/access-log.ts';
import { AccessLogService } from '../../controller/wire/grpc.ts';
import { loadApp } from '../support/apps/load-app.ts';
import { ENVOY_USER } from '../support/bed/network.ts';
import type { Pod } from '../support/bed/pod.ts';
import { CONTROLLER_GRPC_PORT } from '../support/bed/ports.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import type { Agent } from './bed/agent.ts';
import { Calls } from './bed/calls.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import type { StoredObject } from './bed/kubernetes-client.ts';

interface ServiceObject extends StoredObject {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly port: number }[] };
}

const HTTP = 8080;
const REQUEST = 'GET /peer HTTP/1.1\r\nhost: web.shop\r\nx-case: hop\r\n\r\n';

let mesh: IstioMesh;
let server: Pod;
let caller: Pod;
let agent: Agent;
let web: ServiceHandle;

before(async () => {
  mesh = await IstioMesh.start({ mutualTls: 'Strict' });
  server = await mesh.client('server-0');
  caller = await mesh.bed.pod('caller-0');
  agent = await mesh.bed.startAgent(caller);
  await Calls.serve(mesh.bed, server, { http1: [HTTP] });
  web = await mesh.service({ name: 'web', ports: { http: HTTP }, pods: [server] });
});
after(() => mesh.destroy());

/** Calls the web service from a pod, past its sidecar, with the certificate of the caller. */
async function callFrom(
  pod: Pod,
  destination: { readonly address: string; readonly port: number } = web,
): Promise<string> {
  const app = await loadApp(pod, 'hop-client', { user: ENVOY_USER });
  const call = { egress: mesh.egress.listen, destination, certificates: agent.certificates, request: REQUEST };
  return app.call('callThroughHop', call);
}

async function refused(reason: string): Promise<number> {
  return mesh.egress.metric('lazyscope_egress_refused_total', reason);
}

test('a certificate is good at the address of its own pod', async () => {
  assert.match(await callFrom(caller), /^HTTP\/1.1 200/);
});

test('it is refused at the address of another, once the egress knows whose that is', async () => {
  const thief = await mesh.bed.pod('thief-0', { interception: 'none' });
  await eventually('the egress knows the pod', async () => (await callFrom(thief)) === '');
  assert.ok((await refused('IdentityMismatch')) > 0);
});

test('what belongs to Lazyscope is not relayed to, though its own sidecar would open it the door', async () => {
  const controller = await mesh.bed.client.get<ServiceObject>({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'lazyscope-controller', namespace: 'lazyscope' },
  });
  const ports = controller?.spec.ports ?? [];
  assert.ok(ports.length > 0);
  for (const { port } of ports) {
    const before = await refused('NeverRelayed');
    assert.equal(await callFrom(caller, { address: controller?.spec.clusterIP ?? '', port }), '');
    assert.equal(await refused('NeverRelayed'), before + 1);
  }
  assert.equal(await callFrom(caller, { address: mesh.egress.pod.address, port: 15006 }), '');
});

test('the controller denies access logs to an identity that is no egress', async (t) => {
  const folder = new CertificateFolder({ path: agent.certificates, onProblem: () => {} });
  await folder.start();
  const identity = (): string => 'spiffe://cluster.local/ns/lazyscope/sa/lazyscope-controller';
  const address = `${mesh.bed.bed.network.hostAddress}:${CONTROLLER_GRPC_PORT}`;
  const client = new Client(address, channelCredentials(folder, identity), MUTUAL_TLS_CHANNEL_OPTIONS);
  t.after(() => {
    folder.stop();
    client.close();
  });
  const { path, requestSerialize, responseDeserialize } = AccessLogService.StreamAccessLogs;
  const error = await new Promise<ServiceError | null>((resolve) => {
    const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, resolve);
    call.on('error', () => {});
    call.end(Buffer.from(encodeIdentifier('egress~10.0.0.1~egress-0.lazyscope~lazyscope.svc.cluster.local')));
  });
  assert.equal(error?.code, status.PERMISSION_DENIED);
  assert.match(error?.details ?? '', /^spiffe:\/\/cluster.local\/ns\/shop\/sa\/caller may not connect as an egress/);
});
