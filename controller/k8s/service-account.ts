/** What every pod is given to reach the API server. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Tokens are replaced long before they expire, and certificate authorities are announced long before they sign. */
const FRESH_MS = 60_000;

/** What is asked of a configuration; `KubeConfig` of `@kubernetes/client-node` is one, too. */
export interface ClusterConfig {
  getCurrentCluster(): { readonly server: string; readonly proxyUrl?: string } | null;
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

/** Where the files of a ServiceAccount are, and a monotonic clock in milliseconds; by default the pod's own. */
interface ServiceAccountOptions {
  readonly folder?: string;
  readonly now?: () => number;
}

interface Files {
  readonly ca: string;
  readonly token: string;
}

/** The pod's own ServiceAccount, as files and environment tell it. The files are read again once a minute. */
export class ServiceAccountConfig implements ClusterConfig {
  readonly #server: string;
  readonly #folder: string;
  readonly #now: () => number;
  #files: Files | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  /** @throws Error where this is a pod whose files cannot be read */
  constructor({ folder = FOLDER, now = () => performance.now() }: ServiceAccountOptions = {}) {
    const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
    this.#server = host === '' ? '' : `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#folder = folder;
    this.#now = now;
    if (host !== '') this.#current();
  }

  getCurrentCluster(): { readonly server: string } {
    return { server: this.#server };
  }

  /** @throws Error where a file cannot be read */
  async applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    const { ca, token } = this.#current();
    options.ca = ca;
    options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
  }

  #current(): Files {
    const now = this.#now();
    if (this.#files && now - this.#readAt <= FRESH_MS) return this.#files;
    this.#files = { ca: this.#read('ca.crt'), token: this.#read('token').trim() };
    this.#readAt = now;
    return this.#files;
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
}
