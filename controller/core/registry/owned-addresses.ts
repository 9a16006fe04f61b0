import { addressesOf } from '../addresses.ts';
import type { Pod } from '../model.ts';

/** Addresses that are a pod's own. A host-network pod has its node's address, a finished one none any more: neither may be blamed for it. */
export function ownedAddresses(pod: Pod): readonly string[] {
  return pod.hostNetwork || pod.finished ? [] : addressesOf(pod.addresses);
}
