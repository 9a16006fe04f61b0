/** Envoy's admin interface, over its unix socket. https://www.envoyproxy.io/docs/envoy/latest/operations/admin */
import { request } from 'node:http';

/** Resource kinds of the config dump, by the last part of their type. */
export type DumpKind = 'ClustersConfigDump' | 'ListenersConfigDump' | 'RoutesConfigDump' | 'EndpointsConfigDump';

interface ConfigDump {
  readonly configs: readonly ({ readonly '@type': string } & Readonly<Record<string, unknown>>)[];
}

export class EnvoyAdmin {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Body of a GET, whatever the status. */
  async get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.socketPath, path, host: 'admin', agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString()));
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  /** Counters and gauges whose name matches; one that Envoy has not made yet is absent. */
  async stats(pattern: RegExp | string): Promise<ReadonlyMap<string, number>> {
    const filter = typeof pattern === 'string' ? pattern : pattern.source;
    const text = await this.get(`/stats?filter=${encodeURIComponent(filter)}`);
    const lines = text.split('\n').map((line) => /^(.+): (\d+)$/.exec(line));
    return new Map(lines.flatMap((match) => (match ? [[match[1] ?? '', Number(match[2])] as const] : [])));
  }

  /** One counter or gauge; 0 while Envoy has not made it. */
  async stat(name: string): Promise<number> {
    const stats = await this.stats(`^${name.replace(/[.|\\^$*+?()[\]{}]/g, '\\$&')}$`);
    return stats.get(name) ?? 0;
  }

  /** Names of all clusters but those of the bootstrap, sorted. */
  async clusters(): Promise<readonly string[]> {
    return this.#names('ClustersConfigDump', 'dynamic_active_clusters', 'cluster');
  }

  /** Names of the listeners that a controller sent, sorted. */
  async listeners(): Promise<readonly string[]> {
    return this.#names('ListenersConfigDump', 'dynamic_listeners', 'active_state', 'listener');
  }

  /** `address:port` of a cluster's endpoints, sorted. */
  async endpoints(cluster: string): Promise<readonly string[]> {
    const lines = (await this.get('/clusters')).split('\n');
    const found = lines.map((line) => (line.startsWith(`${cluster}::`) ? line.slice(cluster.length + 2) : ''));
    return [...new Set(found.flatMap((line) => /^([\d.]+:\d+)::/.exec(line)?.[1] ?? []))].sort();
  }

  /** Bytes that Envoy's allocator counts as in use. */
  async memoryAllocated(): Promise<number> {
    const memory: { readonly allocated: string } = JSON.parse(await this.get('/memory'));
    return Number(memory.allocated);
  }

  async dump(kind: DumpKind): Promise<Readonly<Record<string, unknown>>> {
    const dump: ConfigDump = JSON.parse(await this.get('/config_dump?include_eds'));
    return dump.configs.find((config) => config['@type'].endsWith(`.${kind}`)) ?? {};
  }

  async #names(kind: DumpKind, list: string, ...path: readonly string[]): Promise<readonly string[]> {
    const items = (await this.dump(kind))[list];
    if (!Array.isArray(items)) return [];
    return items.map((item) => nameIn(path.reduce(fieldOf, item))).sort();
  }
}

function fieldOf(object: unknown, field: string): unknown {
  return typeof object === 'object' && object !== null ? Reflect.get(object, field) : undefined;
}

function nameIn(resource: unknown): string {
  return String(fieldOf(resource, 'name'));
}
