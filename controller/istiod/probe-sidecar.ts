/**
 * The probe as istiod knows it: a proxy without services whose Sidecar opens one port. The port's number is the mark:
 * istiod makes of it the cluster `inbound|<number>||`, so that no two marks look alike and no service is needed.
 */
import type { Manifest } from '../core/publishing.ts';

const NAME = 'lazyscope-probe';
const LABELS = { app: NAME };

const FIRST_MARK = 20_000;
const MARKS = 40_000;

/**
 * Nobody's (RFC 5737). istiod takes the labels of the pod that has the proxy's address, where there is one; our own pod's
 * are not the probe's.
 */
const ADDRESS = '192.0.2.1';

/** istiod warns of proxies that do not say it; nothing here depends on it. */
const ISTIO_VERSION = '1.31.0';

export interface ProbeIdentity {
  /** Our own, where the Sidecar is; under mTLS istiod wants the certificate to be of it. */
  readonly namespace: string;
  /** For example `cluster.local`. */
  readonly clusterDomain: string;
}

/** `node` of its first request; the metadata's fields are those of `NodeMetadata` in Istio's pkg/model/proxy.go. */
export function probeNode({ namespace, clusterDomain }: ProbeIdentity): object {
  return {
    id: `sidecar~${ADDRESS}~${NAME}-0.${namespace}~${namespace}.svc.${clusterDomain}`,
    cluster: `${NAME}.${namespace}`,
    metadata: {
      NAMESPACE: namespace,
      CLUSTER_ID: 'Kubernetes',
      INSTANCE_IPS: ADDRESS,
      ISTIO_VERSION,
      WORKLOAD_NAME: NAME,
      LABELS,
    },
  };
}

/** Its Sidecar with a mark. It imports nothing, so that only its own change is a reason to push to the probe. */
export function probeSidecar(namespace: string, mark: number): Manifest {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { namespace, name: NAME },
    spec: {
      workloadSelector: { labels: LABELS },
      ingress: [{ port: { number: mark, protocol: 'TCP', name: 'mark' }, defaultEndpoint: `127.0.0.1:${mark}` }],
      egress: [{ hosts: ['~/*'] }],
    },
  };
}

/** The mark after the last one written, other than all that istiods show already. */
export function nextMark(last: number | undefined, isShown: ReadonlySet<number>): number {
  let mark = last ?? Math.max(FIRST_MARK, ...isShown);
  do mark = FIRST_MARK + ((mark + 1 - FIRST_MARK) % MARKS);
  while (isShown.has(mark));
  return mark;
}

/** The mark that a cluster stands for, if it does. */
export function markOf(cluster: string): number | undefined {
  const match = /^inbound\|(\d+)\|\|$/.exec(cluster);
  return match ? Number(match[1]) : undefined;
}
