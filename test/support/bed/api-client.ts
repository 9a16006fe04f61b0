/** The controller's HTTP API. */
import type { EdgeReport, MeshReport, ReadinessCheck, WorkloadDetail } from '../../../controller/core/report.ts';
import { eventually } from '../eventually.ts';
import { getJson } from './http-get.ts';

/** Default domain of service names. */
const CLUSTER_DOMAIN = 'cluster.local';

/** `namespace/host` of a Service. */
export function serviceKey(name: string, namespace = 'shop'): string {
  return `${namespace}/${serviceHost(name, namespace)}`;
}

/** `name.namespace.svc.cluster.local`. */
export function serviceHost(name: string, namespace = 'shop'): string {
  return `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`;
}

/** `outbound|port||host`. */
export function clusterOf(name: string, port: number, namespace = 'shop'): string {
  return `outbound|${port}||${serviceHost(name, namespace)}`;
}

export class ApiClient {
  readonly #server: string;

  constructor(server: string) {
    this.#server = server;
  }

  /** Any path, as JSON. */
  async get<T>(path: string): Promise<T> {
    return getJson<T>(`${this.#server}${path}`);
  }

  async status(): Promise<MeshReport & { readonly ready: readonly ReadinessCheck[] }> {
    return this.get('/api/v1/status');
  }

  async workload(key: string): Promise<WorkloadDetail> {
    return this.get(`/api/v1/workloads/${key}`);
  }

  /** Edges of one workload, or all. */
  async edges(from?: string): Promise<readonly EdgeReport[]> {
    const query = from === undefined ? '' : `?from=${encodeURIComponent(from)}`;
    const list = await this.get<{ readonly items: readonly EdgeReport[] }>(`/api/v1/edges${query}`);
    return list.items;
  }

  /** Takes a service out of a workload's scope. */
  async forget(workload: string, service: string): Promise<void> {
    const response = await fetch(`${this.#server}/api/v1/workloads/${workload}/forget`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ service }),
    });
    if (!response.ok) throw new Error(`POST forget: ${response.status} ${await response.text()}`);
  }

  /** Waits for the edge in a state. */
  async edge(from: string, to: string, state: EdgeReport['state'] = 'active'): Promise<EdgeReport> {
    return eventually(`${from} -> ${to} is ${state}`, async () =>
      (await this.edges(from)).find((edge) => edge.to === to && edge.state === state),
    );
  }
}
