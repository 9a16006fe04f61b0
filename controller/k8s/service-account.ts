/** What every pod is given to reach the API server. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Tokens are replaced long before they expire. */
const TOKEN_MS = 60_000;

/** What is asked of a configuration; `KubeConfig` of `@kubernetes/client-node` is one, too. */
export interface ClusterConfig {
  getCurrentCluster(): { readonly server: string; readonly proxyUrl?: string } | null;
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

/** The pod's own ServiceAccount, as files and environment tell it. */
export class ServiceAccountConfig implements ClusterConfig {
  readonly #server: string;
  readonly #ca: string | undefined;
  #token = '';
  #readAt = Number.NEGATIVE_INFINITY;

  /** @throws Error where this is a pod whose files cannot be read */
  constructor() {
    const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
    this.#server = host === '' ? '' : `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#ca = host === '' ? undefined : readFileSync(join(FOLDER, 'ca.crt'), 'utf8');
  }

  getCurrentCluster(): { readonly server: string } {
    return { server: this.#server };
  }

  /** @throws Error where the token cannot be read */
  async applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    const now = performance.now();
    if (now - this.#readAt > TOKEN_MS) {
      this.#token = readFileSync(join(FOLDER, 'token'), 'utf8').trim();
      this.#readAt = now;
    }
    if (this.#ca !== undefined) options.ca = this.#ca;
    options.headers = { ...options.headers, Authorization: `Bearer ${this.#token}` };
  }
}
