/** The node id of an xDS client: `<kind>~<address>~<pod>.<namespace>~<domain>`, Istio's form. */
import type { NodeIdentity } from './model.ts';
import { printableText } from './printable-text.ts';

type Field = 'kind' | 'address' | 'pod' | 'domain';

/** A node, or the field of the id that is wrong and why. */
export type ParsedNodeId =
  | { readonly node: NodeIdentity }
  /** The reason is fit to be printed, whatever the id holds. */
  | { readonly field: Field; readonly reason: string };

const EXAMPLE = 'sidecar~10.0.0.7~cart-0.shop~shop.svc.cluster.local';

/** Names of Kubernetes, in a wide sense: nothing that breaks a line, a label or a path. */
const NAME = /^[a-z0-9](?:[\w.-]{0,251}[a-z0-9])?$/i;

/** Parses `sidecar~ip~pod.namespace~domain` and `egress~…`. A pod's name may contain dots, a namespace's cannot. */
export function parseNodeId(id: string): ParsedNodeId {
  const [kind, address = '', workload = '', domain = '', ...rest] = id.split('~', 5);
  if (kind !== 'sidecar' && kind !== 'egress') return wrong('kind', id, 'does not start with "sidecar~" or "egress~"');
  if (!isAddress(address)) return wrong('address', id, `has "${printableText(address)}" where an IP address belongs`);
  const dot = workload.lastIndexOf('.');
  const [pod, namespace] = [workload.slice(0, Math.max(dot, 0)), workload.slice(dot + 1)];
  if (!NAME.test(pod) || !NAME.test(namespace)) {
    return wrong('pod', id, `has "${printableText(workload)}" where <pod>.<namespace> belongs`);
  }
  if (!NAME.test(domain) || rest.length > 0) return wrong('domain', id, 'does not end with one DNS domain');
  return { node: { id, kind, address, pod, namespace, domain } };
}

function wrong(field: Field, id: string, fault: string): ParsedNodeId {
  return { field, reason: `node.id "${printableText(id)}" ${fault}; write it like ${EXAMPLE}` };
}

function isAddress(text: string): boolean {
  return text.includes(':') ? isIPv6(text) : isIPv4(text);
}

function isIPv4(text: string): boolean {
  const octets = text.split('.', 5);
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
}

/** RFC 4291 section 2.2, without a zone: eight groups, of which one run of zeros may be left out and the last two be IPv4. */
function isIPv6(text: string): boolean {
  if (text.length > '0000:0000:0000:0000:0000:0000:255.255.255.255'.length) return false;
  const halves = text.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const isMixed = last.includes('.') && isIPv4(last) && text.endsWith(last);
  const written = isMixed ? groups.slice(0, -1) : groups;
  const length = groups.length + (isMixed ? 1 : 0);
  const isComplete = halves.length === 1 ? length === 8 : halves.length === 2 && length <= 7;
  return isComplete && written.every((group) => /^[0-9a-f]{1,4}$/i.test(group));
}
