/** The service grammar of `--to`: `cart`, `cart.shop`, a full host, `namespace/host`, an address; each with `:port`. */
import type { EdgeReport } from '../core/report.ts';
import { type DestinationParts, destinationParts, workloadParts } from './names.ts';

/** A host or address and maybe a port. IPv6 addresses stand in brackets, as the API writes them. */
const pattern = /^(?<name>\[[^\]]*\]|[^:]+)(?::(?<port>\d+))?$/;

function addressOf(text: string): string {
  return text.replace(/:\d+$/, '');
}

function isNamed(name: string, destination: DestinationParts, edge: EdgeReport): boolean {
  if (destination.kind === 'Address') return name === addressOf(destination.address) || name === destination.host;
  const { namespace, host } = destination;
  const sibling = `${name}.${workloadParts(edge.from).namespace}`;
  return (
    name === host ||
    name === `${namespace}/${host}` ||
    host.startsWith(`${name}.svc.`) ||
    (!name.includes('.') && host.startsWith(`${sibling}.svc.`))
  );
}

/** Says whether an edge leads to what `text` names. A name without dots is a service of the workload's own namespace. */
export function leadsTo(text: string): (edge: EdgeReport) => boolean {
  const { name = text, port } = pattern.exec(text.toLowerCase())?.groups ?? {};
  return (edge) => isNamed(name, destinationParts(edge.to), edge) && (port === undefined || Number(port) === edge.port);
}
