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
  /** By source, host and destination: {@link endOf} of each. Nested, as that needs no text to be made for an edge. */
  readonly #edges = new Map<string, Map<string, Map<string, Set<number>>>>();

  add({ source, destination, port, host, protocol }: SeenEdge): void {
    const ofSource = inner(this.#edges, source, newMap<Map<string, Set<number>>>);
    const ofHost = inner(ofSource, host, newMap<Set<number>>);
    inner(ofHost, destination, newSet).add(endOf(port, protocol));
  }

  /** As the Go receiver computes it. */
  report(): EdgeReport {
    const lines = [...this.#lines()].sort();
    return { edges: lines.length, digest: createHash('sha256').update(lines.join('\n')).digest('hex') };
  }

  *#lines(): Generator<string> {
    for (const [source, ofSource] of this.#edges)
      for (const [host, ofHost] of ofSource)
        for (const [destination, ends] of ofHost)
          for (const end of ends) yield `${source} ${destination}:${end >> 1} ${host} ${end & 1 ? 'HTTP2' : 'HTTP1'}`;
  }
}

/** Port and protocol in one number. */
function endOf(port: number, protocol: SeenEdge['protocol']): number {
  return (port << 1) | (protocol === 'HTTP2' ? 1 : 0);
}

function inner<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function newMap<Value>(): Map<string, Value> {
  return new Map();
}

function newSet(): Set<number> {
  return new Set();
}
