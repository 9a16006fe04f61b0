/** The node id of an xDS client: `<kind>~<address>~<pod>.<namespace>~<domain>`, Istio's form. */
import type { NodeIdentity } from './model.ts';

/** A node, or the field of the id that is wrong and why. */
export type ParsedNodeId =
  | { readonly node: NodeIdentity }
  | { readonly field: 'kind' | 'address' | 'pod' | 'domain'; readonly reason: string };

const EXAMPLE = 'sidecar~10.0.0.7~cart-0.shop~shop.svc.cluster.local';

/** Parses `sidecar~ip~pod.namespace~domain` and `egress~…`. A pod's name may contain dots, a namespace's cannot. */
export function parseNodeId(id: string): ParsedNodeId {
  const [kind, address = '', workload = '', domain = '', ...rest] = id.split('~');
  if (kind !== 'sidecar' && kind !== 'egress') return wrong('kind', id, 'does not start with "sidecar~" or "egress~"');
  if (!isAddress(address)) return wrong('address', id, `has "${address}" where an IP address belongs`);
  const dot = workload.lastIndexOf('.');
  const [pod, namespace] = [workload.slice(0, dot), workload.slice(dot + 1)];
  if (dot < 1 || namespace === '') return wrong('pod', id, `has "${workload}" where <pod>.<namespace> belongs`);
  if (domain === '' || rest.length > 0) return wrong('domain', id, 'does not end with one DNS domain');
  return { node: { id, kind, address, pod, namespace, domain } };
}

function wrong(field: 'kind' | 'address' | 'pod' | 'domain', id: string, fault: string): ParsedNodeId {
  const shown = id.length > 200 ? `${id.slice(0, 200)}…` : id;
  return { field, reason: `node.id "${shown}" ${fault}; write it like ${EXAMPLE}` };
}

/** Close enough to tell an address from a name; a wrong one simply belongs to no pod. */
function isAddress(text: string): boolean {
  const octets = text.split('.');
  if (octets.length === 4) return octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
  return text.includes(':') && /^[0-9a-f:.]+$/i.test(text);
}
