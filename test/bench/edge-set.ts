/** The set of edges that a stream of access logs tells of: what every receiver makes of it, so that they compare. */
import { createHash } from 'node:crypto';

export interface SeenEdge {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly host: string;
  readonly protocol: 'HTTP1' | 'HTTP2';
}

/** What a receiver has made of a stream: equal for equal edges. */
export interface EdgeReport {
  readonly edges: number;
  readonly digest: string;
}

export class EdgeSet {
  readonly #edges = new Set<string>();

  add({ source, destination, port, host, protocol }: SeenEdge): void {
    this.#edges.add(`${source} ${destination}:${port} ${host} ${protocol}`);
  }

  /** As the Go receiver computes it. */
  report(): EdgeReport {
    const lines = [...this.#edges].sort().join('\n');
    return { edges: this.#edges.size, digest: createHash('sha256').update(lines).digest('hex') };
  }
}
