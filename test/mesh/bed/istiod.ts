/** A real istiod on the bed's API server, without injection and webhooks. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../../support/bed/bed.ts';
import { answers, getJson, getText } from '../../support/bed/http-get.ts';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import { metricSum } from '../../support/bed/metric-sum.ts';
import { kubeconfig } from './api-server.ts';
import type { KubernetesAccess } from './kubernetes-client.ts';
import { MeshServer } from './mesh-server.ts';
import { ISTIOD_HTTP_PORT, ISTIOD_METRICS_PORT, loopbackAddress, SECURE_XDS_PORT, XDS_PORT } from './ports.ts';

/** Root namespace of the mesh, where istiod is. */
export const ROOT_NAMESPACE = 'istio-system';

/**
 * `Off`: no certificate authority; pods have plain Envoys, which is fast. `Strict`: mTLS everywhere, for which pods need
 * the real agent.
 */
export type MutualTls = 'Off' | 'Strict';

export interface IstiodOptions {
  readonly mutualTls: MutualTls;
  /** DNS domain of Services. */
  readonly clusterDomain: string;
  /** More of istiod's environment variables, for example `{ PILOT_DEBOUNCE_AFTER: '1s' }`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Why istiod's validation would refuse an object, if it would. */
export interface Validation {
  readonly allowed: boolean;
  readonly message: string;
}

/** What istiod adds to Envoy's own filters stays out: a plain Envoy would refuse it. The rest is what no test needs. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  POD_NAME: 'istiod-0',
  POD_NAMESPACE: ROOT_NAMESPACE,
  INJECT_ENABLED: 'false',
  INJECTION_WEBHOOK_CONFIG_NAME: '',
  VALIDATION_WEBHOOK_CONFIG_NAME: '',
  ENABLE_LEADER_ELECTION: 'false',
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_ENABLE_ALPN_FILTER: 'false',
  PILOT_ENABLE_TELEMETRY_LABEL: 'false',
  PILOT_ENDPOINT_TELEMETRY_LABEL: 'false',
  PILOT_ENABLE_GATEWAY_API: 'false',
  PILOT_ENABLE_IP_AUTOALLOCATE: 'false',
  PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION: 'false',
  UNSAFE_ENABLE_ADMIN_ENDPOINTS: 'true',
};

export class Istiod extends MeshServer {
  readonly #http: string;
  readonly #metrics: string;

  /** @param servers folder of the built istiod */
  constructor(bed: Bed, servers: string, access: KubernetesAccess, options: IstiodOptions) {
    const folder = bed.folder('istiod');
    const loopback = loopbackAddress(bed.network);
    const http = `http://${loopback}:${ISTIOD_HTTP_PORT}`;
    writeFileSync(join(folder, 'kubeconfig'), kubeconfig(access));
    super(bed, {
      name: 'istiod',
      // It keeps the certificates that it makes for itself in its working directory.
      command: ['env', `--chdir=${folder}`, join(servers, 'pilot-discovery'), ...flags(bed, options)],
      environment: {
        ...ENVIRONMENT,
        ...(options.mutualTls === 'Strict' ? { PILOT_CERT_PROVIDER: 'istiod' } : { ENABLE_CA_SERVER: 'false' }),
        ...options.environment,
      },
      isReady: () => answers(`${http}/ready`),
    });
    this.#http = http;
    this.#metrics = `http://${loopback}:${ISTIOD_METRICS_PORT}/metrics`;
  }

  /** `/debug/<path>` as JSON: `syncz`, `connections`, `config_dump?proxyID=<pod>.<namespace>`, ... */
  async debug<T>(path: string): Promise<T> {
    return getJson<T>(`${this.#http}/debug/${path}`);
  }

  /** Sum of a metric's samples whose text contains `label`; 0 when there is none. */
  async metric(name: string, label = ''): Promise<number> {
    return metricSum(await getText(this.#metrics), name, label);
  }

  /** What its admission webhook says of an object. */
  async validate(object: KubernetesObject): Promise<Validation> {
    const { apiVersion, kind, metadata } = object;
    const [group, version] = apiVersion.split('/');
    const request = {
      uid: '1',
      kind: { group, version, kind },
      name: metadata.name,
      namespace: metadata.namespace,
      operation: 'CREATE',
      object,
    };
    const response = await fetch(`${this.#http}/validate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }),
    });
    const review = (await response.json()) as {
      readonly response: { readonly allowed: boolean; readonly status?: { readonly message?: string } };
    };
    return { allowed: review.response.allowed, message: review.response.status?.message ?? '' };
  }
}

function flags(bed: Bed, { mutualTls, clusterDomain }: IstiodOptions): readonly string[] {
  const { hostAddress } = bed.network;
  const loopback = loopbackAddress(bed.network);
  const values = {
    kubeconfig: 'kubeconfig',
    registries: 'Kubernetes',
    namespace: ROOT_NAMESPACE,
    domain: clusterDomain,
    clusterID: 'Kubernetes',
    httpAddr: `${loopback}:${ISTIOD_HTTP_PORT}`,
    grpcAddr: `${hostAddress}:${XDS_PORT}`,
    secureGRPCAddr: mutualTls === 'Strict' ? `${hostAddress}:${SECURE_XDS_PORT}` : '',
    // Then the webhooks are served at httpAddr, in clear.
    httpsAddr: '',
    monitoringAddr: `${loopback}:${ISTIOD_METRICS_PORT}`,
    ctrlz_port: '0',
    log_output_level: 'default:info',
  };
  return ['discovery', ...Object.entries(values).map(([name, value]) => `--${name}=${value}`)];
}
