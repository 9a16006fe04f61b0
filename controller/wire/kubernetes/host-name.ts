/** Host names in Istio's objects. */
import { canonicalAddress } from './address.ts';

/**
 * A host as FQDN in lower case: a name without a dot is one of a Service in the object's own namespace, as istiod reads
 * it. Wildcards and addresses stay.
 */
export function fqdn(host: string, namespace: string, clusterDomain: string): string {
  const name = host.toLowerCase();
  const isShort = name !== '*' && !name.includes('.') && canonicalAddress(name) === undefined;
  return isShort ? `${name}.${namespace}.svc.${clusterDomain}` : name;
}
