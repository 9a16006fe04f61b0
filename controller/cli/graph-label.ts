import type { GraphNode } from '../core/report.ts';
import { destinationParts, shortHost, workloadParts } from './names.ts';

/** What stands in the box of a node, line by line: the name, then what it is. */
export function nodeLabel({ id, kind }: GraphNode): readonly string[] {
  if (kind === 'Workload') {
    const { namespace, kind: workloadKind, name } = workloadParts(id);
    return [name, `${workloadKind} in ${namespace}`];
  }
  const destination = destinationParts(id);
  if (destination.kind === 'Service') return [shortHost(destination.host)];
  return destination.host === undefined ? [destination.address] : [destination.host, destination.address];
}
