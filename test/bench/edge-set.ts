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

/** The rest of an edge, behind its source and host: mostly there is one. */
type End = Pick<SeenEdge, 'destination' | 'port' | 'protocol'>;

export class EdgeSet {
  /** By source and host. Nested, as that needs no text to be made for an edge. */
  readonly #edges = new Map<string, Map<string, End[]>>();

  add({ source, destination, port, host, protocol }: SeenEdge): void {
    const ofSource = this.#edges.get(source) ?? new Map<string, End[]>();
    if (ofSource.size === 0) this.#edges.set(source, ofSource);
    const ends = ofSource.get(host);
    if (ends === undefined) ofSource.set(host, [{ destination, port, protocol }]);
    else if (!hasEnd(ends, destination, port, protocol)) ends.push({ destination, port, protocol });
  }

  /** As the Go receiver computes it. */
  report(): EdgeReport {
    const lines = [...this.#lines()].sort();
    return { edges: lines.length, digest: createHash('sha256').update(lines.join('\n')).digest('hex') };
  }

  *#lines(): Generator<string> {
    for (const [source, ofSource] of this.#edges)
      for (const [host, ends] of ofSource)
        for (const { destination, port, protocol } of ends)
          yield `${source} ${destination}:${port} ${host} ${protocol}`;
  }
}

function hasEnd(ends: readonly End[], destination: string, port: number, protocol: End['protocol']): boolean {
  for (const end of ends) {
    if (end.port === port && end.protocol === protocol && end.destination === destination) return true;
  }
  return false;
}
