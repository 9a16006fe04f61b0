/**
 * A real istio-agent in a pod, which runs the bed's Envoy and gets it certificates of istiod: what injection would add to
 * a Deployment, less what its init container does (that is `Network`'s).
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Bed } from '../../support/bed/bed.ts';
import type { BedProcess } from '../../support/bed/bed-process.ts';
import { run } from '../../support/bed/command.ts';
import { envoyBinary } from '../../support/bed/envoy.ts';
import { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';
import { ENVOY_USER } from '../../support/bed/network.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { eventually } from '../../support/eventually.ts';
import type { KubernetesClient, StoredObject } from './kubernetes-client.ts';
import { SECURE_XDS_PORT } from './ports.ts';

/** Where Envoy's admin interface is, in the pod. */
export const ADMIN_PORT = 15000;

interface RootCertificate extends StoredObject {
  readonly data: { readonly 'root-cert.pem': string };
}

export interface Agent {
  readonly process: BedProcess;
  readonly admin: EnvoyAdmin;
  /** Folder of `key.pem`, `cert-chain.pem` and `root-cert.pem`, which the agent keeps fresh (`OUTPUT_CERTS`). */
  readonly certificates: string;
}

export interface AgentBed {
  readonly bed: Bed;
  readonly client: KubernetesClient;
  /** Folder of the built pilot-agent. */
  readonly servers: string;
  /** DNS domain of Services. */
  readonly clusterDomain: string;
}

/** Starts it and waits until its Envoy has the configuration and certificates of istiod. */
export async function startAgent(mesh: AgentBed, pod: Pod): Promise<Agent> {
  const { bed, client } = mesh;
  const folder = bed.folder(`${pod.name}-agent`);
  const certificates = join(folder, 'certificates');
  mkdirSync(certificates);
  // The agent looks for these below its working directory.
  writeBelow(folder, 'var/run/secrets/tokens/istio-token', await token(client, pod));
  writeBelow(folder, 'var/run/secrets/istio/root-cert.pem', await rootCertificate(client, pod.namespace));
  mkdirSync(join(folder, 'etc/istio/proxy'), { recursive: true });
  run('chown', ['-R', `${ENVOY_USER}:${ENVOY_USER}`, folder]);
  const process = bed.start({
    name: `${pod.name}-agent`,
    namespace: pod.netns,
    command: command(mesh, pod, folder),
    environment: environment(mesh, pod, certificates),
  });
  const adminSocket = join(folder, 'admin.sock');
  const relay = await pod.load<typeof import('./admin-relay.ts')>(new URL('./admin-relay.ts', import.meta.url));
  await relay.call('relayAdmin', adminSocket, ADMIN_PORT);
  const admin = new EnvoyAdmin(adminSocket);
  await eventually(`the agent of ${pod.name} has a live Envoy`, async () => {
    process.assertRunning();
    return (await admin.get('/ready')).includes('LIVE');
  });
  return { process, admin, certificates };
}

function command({ bed, servers, clusterDomain }: AgentBed, { namespace }: Pod, folder: string): readonly string[] {
  const user = [`--reuid=${ENVOY_USER}`, `--regid=${ENVOY_USER}`, '--clear-groups'];
  const agent = reachable(bed, join(servers, 'pilot-agent'), 'pilot-agent');
  const template = reachable(bed, join(servers, 'envoy_bootstrap.json'), 'envoy_bootstrap.json');
  const flags = [`--domain=${namespace}.svc.${clusterDomain}`, `--templateFile=${template}`, '--proxyLogLevel=warning'];
  return [...user, 'env', `--chdir=${folder}`, agent, 'proxy', 'sidecar', ...flags, '--log_output_level=default:info'];
}

function environment({ bed }: AgentBed, pod: Pod, certificates: string): Readonly<Record<string, string>> {
  const { hostAddress } = bed.network;
  return {
    POD_NAME: pod.name,
    POD_NAMESPACE: pod.namespace,
    INSTANCE_IP: pod.address,
    HOST_IP: hostAddress,
    SERVICE_ACCOUNT: pod.deployment,
    TRUST_DOMAIN: 'cluster.local',
    PILOT_CERT_PROVIDER: 'istiod',
    // A bed has no DNS: istiod is dialled by its address, and known by this name of its certificate.
    ISTIOD_SAN: 'istiod.istio-system.svc',
    ISTIO_META_CLUSTER_ID: 'Kubernetes',
    ISTIO_META_INTERCEPTION_MODE: 'REDIRECT',
    ISTIO_META_WORKLOAD_NAME: pod.deployment,
    ISTIO_METAJSON_LABELS: JSON.stringify({ app: pod.deployment }),
    OUTPUT_CERTS: certificates,
    PROXY_CONFIG: JSON.stringify({
      discoveryAddress: `${hostAddress}:${SECURE_XDS_PORT}`,
      binaryPath: envoyBinary(),
      configPath: './etc/istio/proxy',
      concurrency: 1,
      drainDuration: '5s',
      statusPort: 15020,
      proxyAdminPort: ADMIN_PORT,
    }),
  };
}

/** A copy in the bed's folder: Envoy's user may not enter the home in which the cache is. */
function reachable(bed: Bed, file: string, name: string): string {
  const copy = join(bed.folder('bin'), name);
  if (!existsSync(copy)) {
    copyFileSync(file, copy);
    chmodSync(copy, 0o755);
  }
  return copy;
}

function writeBelow(folder: string, path: string, content: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** Proves to istiod's certificate authority who the pod is. */
async function token(client: KubernetesClient, { namespace, deployment }: Pod): Promise<string> {
  return client.serviceAccountToken(namespace, deployment, ['istio-ca']);
}

/** istiod writes it to every namespace. */
async function rootCertificate(client: KubernetesClient, namespace: string): Promise<string> {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio-ca-root-cert', namespace } };
  const { data } = await eventually(`istiod has written its root certificate to ${namespace}`, () =>
    client.get<RootCertificate>(reference),
  );
  return data['root-cert.pem'];
}
