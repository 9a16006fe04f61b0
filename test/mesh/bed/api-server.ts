/** A real kube-apiserver with RBAC. Nothing else of Kubernetes runs: no controller, scheduler, kubelet or kube-proxy. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../../support/bed/bed.ts';
import { run } from '../../support/bed/command.ts';
import { etcdUrl } from './etcd.ts';
import { type KubernetesAccess, KubernetesClient } from './kubernetes-client.ts';
import { MeshServer } from './mesh-server.ts';
import { API_SERVER_PORT } from './ports.ts';

const ADMIN_TOKEN = 'admin';

export class ApiServer extends MeshServer {
  /** As an administrator. */
  readonly client: KubernetesClient;

  /** @param servers folder of the built kube-apiserver */
  constructor(bed: Bed, servers: string) {
    const folder = bed.folder('kube-apiserver');
    const { hostAddress } = bed.network;
    makeCredentials(folder, hostAddress);
    const client = new KubernetesClient({
      server: `https://${hostAddress}:${API_SERVER_PORT}`,
      certificateAuthority: readFileSync(join(folder, 'certificate.pem'), 'utf8'),
      token: ADMIN_TOKEN,
    });
    super(bed, {
      name: 'kube-apiserver',
      command: [join(servers, 'kube-apiserver'), ...flags(bed, folder)],
      // It is so only when it has made its own roles and namespaces.
      isReady: () => client.answers('/readyz'),
    });
    this.client = client;
  }
}

function flags(bed: Bed, folder: string): readonly string[] {
  const { hostAddress, clusterIPRange } = bed.network;
  const values = {
    'etcd-servers': etcdUrl(bed),
    'bind-address': hostAddress,
    'advertise-address': hostAddress,
    'secure-port': String(API_SERVER_PORT),
    'service-cluster-ip-range': clusterIPRange,
    'tls-cert-file': join(folder, 'certificate.pem'),
    'tls-private-key-file': join(folder, 'key.pem'),
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-signing-key-file': join(folder, 'key.pem'),
    'service-account-key-file': join(folder, 'certificate.pem'),
    'authorization-mode': 'RBAC',
    'token-auth-file': join(folder, 'tokens.csv'),
    // Nobody makes each namespace's ServiceAccount `default`, without which it would admit no pod.
    'disable-admission-plugins': 'ServiceAccount',
    'allow-privileged': 'true',
  };
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/** One key for TLS and for ServiceAccount tokens: the bed ends before anybody could mind. */
function makeCredentials(folder: string, address: string): void {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const names = `subjectAltName=IP:${address},DNS:kubernetes.default.svc,DNS:kubernetes.default`;
  run('openssl', [
    'req',
    ...kind,
    '-subj',
    '/CN=kube-apiserver',
    '-addext',
    names,
    '-keyout',
    key,
    '-out',
    certificate,
  ]);
  writeFileSync(join(folder, 'tokens.csv'), `${ADMIN_TOKEN},admin,admin,"system:masters"\n`);
}

/** Text of a kubeconfig; YAML, as JSON is. */
export function kubeconfig({ server, certificateAuthority, token }: KubernetesAccess): string {
  const name = 'mesh';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: { server, 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64') },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
