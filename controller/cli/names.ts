/** Taking apart the names that the API gives. */
import type { WorkloadKey } from '../core/model.ts';
import type { EdgeReport } from '../core/report.ts';

export interface WorkloadParts {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** Parts of `namespace/Kind/name`. */
export function workloadParts(key: WorkloadKey): WorkloadParts {
  const [namespace = '', kind = '', ...name] = key.split('/');
  return { namespace, kind, name: name.join('/') };
}

/** What an edge leads to: a service of the mesh, or an address that none stands for. */
export type DestinationParts =
  | { readonly kind: 'Service'; readonly namespace: string; readonly host: string }
  | { readonly kind: 'Address'; readonly address: string; readonly host?: string };

/** Parts of {@link EdgeReport.to}: `namespace/host`, or `address:port` with ` (host)` behind it. */
export function destinationParts(to: EdgeReport['to']): DestinationParts {
  const [address = to, named] = to.split(' (');
  const slash = address.indexOf('/');
  if (slash > 0) return { kind: 'Service', namespace: address.slice(0, slash), host: address.slice(slash + 1) };
  return named === undefined ? { kind: 'Address', address } : { kind: 'Address', address, host: named.slice(0, -1) };
}

/** A destination with its port, as prose and graphs name it. */
export function destinationName({ to, port }: Pick<EdgeReport, 'to' | 'port'>): string {
  return destinationParts(to).kind === 'Service' ? `${to}:${port}` : to;
}

/** `cart.shop` of a host `cart.shop.svc.cluster.local`; other hosts stay as they are. */
export function shortHost(host: string): string {
  return host.replace(/^([^.]+\.[^.]+)\.svc\..*$/, '$1');
}
