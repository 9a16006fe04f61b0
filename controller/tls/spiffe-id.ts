/** SPIFFE identities in Istio's form, https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md section 2. */

/** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. */
export interface SpiffeId {
  readonly uri: string;
  readonly trustDomain: string;
  /** `ns/<namespace>/sa/<service account>`: the same whatever the trust domain is called. */
  readonly workload: string;
}

const URI = /^spiffe:\/\/([a-z0-9._-]{1,255})\/(ns\/[a-z0-9.-]{1,253}\/sa\/[a-z0-9.-]{1,253})$/;
const URI_ENTRY = 'URI:';

/** `ns/<namespace>/sa/<service account>`, as in {@link SpiffeId.workload}. */
export function workloadPath(namespace: string, serviceAccount: string): string {
  return `ns/${namespace}/sa/${serviceAccount}`;
}

/** The namespace in a {@link workloadPath}. */
export function namespaceOf(workload: string): string {
  return workload.split('/', 2)[1] ?? '';
}

export function spiffeUri(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/${workloadPath(namespace, serviceAccount)}`;
}

/** Reads `spiffe://…`; `undefined` where it is not in Istio's form. */
export function parseSpiffeUri(uri: string): SpiffeId | undefined {
  const [, trustDomain, workload] = URI.exec(uri) ?? [];
  return trustDomain === undefined || workload === undefined ? undefined : { uri, trustDomain, workload };
}

/**
 * The identity that a certificate carries. A certificate with several URIs has none: readers could take different ones.
 * @param subjectAltName as Node prints it: `URI:…, DNS:…`
 */
export function spiffeIdOf(subjectAltName: string | undefined): SpiffeId | undefined {
  // Node quotes entries in which a separator could be forged; none of these is an identity.
  if (subjectAltName === undefined || subjectAltName.includes('"')) return undefined;
  const uris = subjectAltName.split(', ').filter((entry) => entry.startsWith(URI_ENTRY));
  return uris.length === 1 && uris[0] ? parseSpiffeUri(uris[0].slice(URI_ENTRY.length)) : undefined;
}
