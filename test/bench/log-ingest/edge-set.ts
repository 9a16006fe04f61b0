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

/** The rest of an edge, behind its source and host: mostly there is one, so that it needs no list. */
interface End extends Pick<SeenEdge, 'destination' | 'port' | 'protocol'> {
  readonly next: End | undefined;
}

export class EdgeSet {
  /** By source and host. Nested, as that needs no text to be made for an edge. */
  readonly #edges = new Map<string, Map<string, End>>();

  add({ source, destination, port, host, protocol }: SeenEdge): void {
    let ofSource = this.#edges.get(source);
    if (ofSource === undefined) {
      ofSource = new Map();
      this.#edges.set(source, ofSource);
    }
    const next = ofSource.get(host);
    for (let end = next; end !== undefined; end = end.next) {
      if (end.port === port && end.protocol === protocol && end.destination === destination) return;
    }
    ofSource.set(host, { destination, port, protocol, next });
  }

  /** As the Go receiver computes it. */
  report(): EdgeReport {
    const lines = [...this.#lines()].sort();
    return { edges: lines.length, digest: createHash('sha256').update(lines.join('\n')).digest('hex') };
  }

  *#lines(): Generator<string> {
    for (const [source, ofSource] of this.#edges)
      for (const [host, first] of ofSource)
        for (let end: End | undefined = first; end !== undefined; end = end.next)
          yield `${source} ${end.destination}:${end.port} ${host} ${end.protocol}`;
  }
}
