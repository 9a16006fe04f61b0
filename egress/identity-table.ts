import type { PodIdentity } from '../controller/core/pod-identity.ts';
import { workloadPath } from '../controller/tls/spiffe-id.ts';
import { canonicalAddress } from './address.ts';

/** What the hop asks. */
export interface IdentityView {
  /**
   * `ns/<namespace>/sa/<service account>` of the pods that have this address; several while one pod replaces another,
   * none while no pod is known by it.
   */
  of(address: string): readonly string[];
}

/** Who has which address. Kept in step by resource name. */
export class IdentityTable implements IdentityView {
  readonly #identities = new Map<string, PodIdentity>();
  readonly #byAddress = new Map<string, readonly string[]>();

  of(address: string): readonly string[] {
    return this.#byAddress.get(address) ?? [];
  }

  /** Adds or replaces what a resource says. */
  set(name: string, identity: PodIdentity): void {
    this.delete(name);
    this.#identities.set(name, identity);
    const workload = workloadPath(identity.namespace, identity.serviceAccount);
    for (const address of identity.addresses.map(canonicalAddress)) {
      this.#byAddress.set(address, [...this.of(address), workload]);
    }
  }

  delete(name: string): void {
    const identity = this.#identities.get(name);
    if (!identity) return;
    this.#identities.delete(name);
    const workload = workloadPath(identity.namespace, identity.serviceAccount);
    for (const address of identity.addresses.map(canonicalAddress)) {
      const others = this.of(address).filter((other) => other !== workload);
      if (others.length > 0) this.#byAddress.set(address, others);
      else this.#byAddress.delete(address);
    }
  }
}
