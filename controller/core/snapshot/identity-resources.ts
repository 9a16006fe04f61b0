import { CLUSTER, type Resource } from '../model.ts';
import { IDENTITY_METADATA, identityName, type PodIdentity } from '../pod-identity.ts';
import { type Encoding, encodeResource } from './resource-encoder.ts';

interface Encoded {
  readonly addresses: string;
  readonly resource: Resource;
}

/** The identities of pods, a cluster for each. One is encoded anew only when its own addresses change. */
export class IdentityResources {
  readonly #encoding: Encoding;
  #known: ReadonlyMap<string, Encoded> = new Map();
  #resources: readonly Resource[] = [];

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  /** @returns the same array as before while nothing has changed */
  of(identities: Iterable<PodIdentity>): readonly Resource[] {
    const encoded = new Map<string, Encoded>();
    for (const identity of identities) {
      if (identity.addresses.length > 0) encoded.set(identityName(identity), this.#encoded(identity));
    }
    const isSame =
      encoded.size === this.#known.size && [...encoded].every(([name, it]) => this.#known.get(name) === it);
    if (!isSame) {
      this.#known = encoded;
      this.#resources = [...encoded.values()].map(({ resource }) => resource);
    }
    return this.#resources;
  }

  #encoded({ namespace, serviceAccount, addresses }: PodIdentity): Encoded {
    const name = identityName({ namespace, serviceAccount });
    const sorted = [...addresses].sort();
    const text = sorted.join(' ');
    const known = this.#known.get(name);
    if (known?.addresses === text) return known;
    const metadata = { filter_metadata: { [IDENTITY_METADATA]: { namespace, serviceAccount, addresses: sorted } } };
    return { addresses: text, resource: encodeResource(this.#encoding, CLUSTER, name, { name, metadata }) };
  }
}
