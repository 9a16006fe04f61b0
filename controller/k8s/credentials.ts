/** Who we are at the API server and whom we trust there, as `@kubernetes/client-node` reads it from configuration. */
import { createHash } from 'node:crypto';
import type { Agent as HttpAgent } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import { LazyscopeError } from '../core/error.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import type { ClusterConfig } from './service-account.ts';

/** What one request needs. */
export interface Credentials {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Holds connections of these credentials alone. */
  readonly agent: HttpAgent;
}

/** Where the configuration is: a kubeconfig file, or the pod's ServiceAccount where none is given. */
export interface CredentialsOptions {
  readonly kubeconfig?: string;
}

/** A dead peer is noticed by the kernel, too; below the idle limits of usual load balancers. */
const TCP_KEEP_ALIVE = 30_000;

function checkedServer(config: ClusterConfig, { kubeconfig }: CredentialsOptions): string {
  const server = config.getCurrentCluster()?.server ?? '';
  if (URL.canParse(server)) return server.replace(/\/+$/, '');
  throw new LazyscopeError(
    'InvalidConfiguration',
    kubeconfig === undefined
      ? 'This is no pod of a Kubernetes cluster (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig file'
      : `${kubeconfig}: current-context names no cluster with a server address`,
  );
}

/** Equal TLS material gives an equal name, so that its connections can be kept. */
function nameOfTls({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): string {
  const hash = createHash('sha256');
  for (const part of [ca, cert, key, servername, rejectUnauthorized]) hash.update(`${String(part)}\n`);
  return hash.digest('hex');
}

function headersOf(options: RequestOptions): Record<string, string> {
  // Files of tokens often end with a line feed, which no header may contain.
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value).trim()]);
  if (options.auth) headers.push(['Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`]);
  return Object.fromEntries(headers);
}

/** Credentials that follow rotated tokens, certificates and kubeconfig files. */
export class CredentialsSource {
  readonly #options: CredentialsOptions;
  #config: ClusterConfig;
  #loading: Promise<void> | undefined;
  #agent: { readonly name: string; readonly agent: Agent } | undefined;
  /** Counts loads: tells whether refused credentials are still the current ones. */
  #generation = 0;

  private constructor(options: CredentialsOptions, config: ClusterConfig) {
    this.#options = options;
    this.#config = config;
  }

  /** @throws LazyscopeError `InvalidConfiguration` where the configuration cannot be read or names no server */
  static async load(options: CredentialsOptions): Promise<CredentialsSource> {
    try {
      const config = await loadKubeconfig(options.kubeconfig);
      checkedServer(config, options);
      return new CredentialsSource(options, config);
    } catch (error) {
      throw LazyscopeError.from('InvalidConfiguration', options.kubeconfig ?? 'ServiceAccount', error);
    }
  }

  get generation(): number {
    return this.#generation;
  }

  /** What a request needs now. Rejects where a token file or a credentials plugin fails. */
  async current(): Promise<Credentials> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const server = checkedServer(this.#config, this.#options);
    return { server, headers: headersOf(options), agent: this.#agentFor(options) };
  }

  /**
   * Reads everything afresh after the server refused credentials: the library reads a token file once a minute, a
   * kubeconfig file only once, and asks a plugin again only when its answer has expired. Many requests that are refused
   * at a time cause one load.
   * @param generation of the refused credentials
   */
  async renew(generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    this.#loading ??= this.#reload().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent?.agent.destroy();
  }

  async #reload(): Promise<void> {
    const config = await loadKubeconfig(this.#options.kubeconfig);
    checkedServer(config, this.#options);
    this.#config = config;
    this.#generation += 1;
  }

  /**
   * The library's agent keeps no connection and keeps the certificates of its first use for good, so it is taken only
   * where it leads through a proxy.
   */
  #agentFor(options: RequestOptions): HttpAgent {
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const viaLibrary = this.#config.getCurrentCluster()?.proxyUrl !== undefined || !this.#isSecure();
    if (viaLibrary && typeof options.agent === 'object') return options.agent;
    const name = nameOfTls(options);
    if (this.#agent?.name !== name) {
      const tls = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
      const given = Object.fromEntries(tls.filter(([, value]) => value !== undefined));
      // Watches that run on the former agent end by themselves.
      this.#agent = { name, agent: new Agent({ keepAlive: true, keepAliveMsecs: TCP_KEEP_ALIVE, ...given }) };
    }
    return this.#agent.agent;
  }

  #isSecure(): boolean {
    return checkedServer(this.#config, this.#options).startsWith('https:');
  }
}
