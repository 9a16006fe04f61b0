/**
 * What makes a workload lazy on istiod, in the least form that works, for tests of the bed itself: the publisher's own
 * objects replace it.
 */
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';

const NETWORKING = 'networking.istio.io/v1';

/** Sidecars send the egress what they do not know, with the PROXY header that says from whom and where to. */
export function egressRule({ host }: ServiceHandle, namespace: string, tls: object = {}): KubernetesObject {
  return {
    apiVersion: NETWORKING,
    kind: 'DestinationRule',
    metadata: { name: 'lazyscope-egress', namespace },
    spec: { host, trafficPolicy: { proxyProtocol: { version: 'V2' }, ...tls } },
  };
}

/**
 * A Sidecar that sends everything to the egress but what is in scope.
 * @param scope services that it knows; the egress and a placeholder for its HTTP ports must be among them
 */
export function lazySidecar(
  workload: { readonly namespace: string; readonly deployment: string },
  egress: ServiceHandle,
  scope: readonly ServiceHandle[],
): KubernetesObject {
  const { namespace, deployment } = workload;
  return {
    apiVersion: NETWORKING,
    kind: 'Sidecar',
    metadata: { name: `lazyscope-${deployment}`, namespace },
    spec: {
      workloadSelector: { labels: { app: deployment } },
      outboundTrafficPolicy: {
        mode: 'ALLOW_ANY',
        egressProxy: { host: egress.host, port: { number: egress.port } },
      },
      egress: [{ hosts: scope.map(({ key }) => key).sort() }],
    },
  };
}
