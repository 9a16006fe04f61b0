/** Whose address is whose, as an egress knows it: the metadata of one more cluster in the egress's routing table. */

/** Namespace of `metadata.filter_metadata` that carries {@link PodIdentity}. */
export const IDENTITY_METADATA = 'lazyscope.io/identity';

/** The pods that run as one ServiceAccount: under mTLS they have one identity. */
export interface PodIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** In canonical form. */
  readonly addresses: readonly string[];
}

/** Name of the cluster, told from those of service ports by its first word. */
export function identityName({ namespace, serviceAccount }: Omit<PodIdentity, 'addresses'>): string {
  return `identity|${namespace}|${serviceAccount}`;
}

/** Whether a cluster of the routing table is a {@link PodIdentity}. */
export function isIdentityName(name: string): boolean {
  return name.startsWith('identity|');
}
