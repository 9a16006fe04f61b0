/**
 * Makes a workload lazy with the least that works on istiod and without a controller, for tests of the bed itself and of
 * the hop.
 */
import { Egress } from '../../support/bed/egress.ts';
import type { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { EGRESS_HTTP_PORT, EGRESS_PORT } from '../../support/bed/ports.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { eventually } from '../../support/eventually.ts';
import type { MeshBed } from './mesh-bed.ts';

const NAMESPACE = 'lazyscope';
const NETWORKING = 'networking.istio.io/v1';

export interface LazyOptions {
  readonly client: Pod;
  /** The client's Envoy. */
  readonly admin: EnvoyAdmin;
  readonly egress: Egress;
  /** Port number that any service declares HTTP. */
  readonly httpPort: number;
  /** mTLS between the sidecar and the egress. Default: in clear. */
  readonly mutualHop?: boolean;
}

/** A pod for the egress. Its own sidecar, an eager one, gets what the egress dials to where it belongs. */
export async function egressPod(mesh: MeshBed): Promise<Pod> {
  // A sidecar would take the PROXY header for the beginning of TLS.
  return mesh.pod('egress-0', { namespace: NAMESPACE, excludedPorts: [EGRESS_PORT, EGRESS_HTTP_PORT] });
}

/** Starts `lazyscope egress` in its pod, without a controller. */
export async function startEgress(
  mesh: MeshBed,
  pod: Pod,
  flags: Readonly<Record<string, string>> = {},
): Promise<Egress> {
  const egress = new Egress(mesh.bed, pod);
  await egress.start({ mode: 'istio', ...flags });
  return egress;
}

/** Sends everything that a workload calls through the egress, from when its Envoy knows nothing else. */
export async function makeLazy(mesh: MeshBed, options: LazyOptions): Promise<void> {
  const { client, admin, egress, httpPort, mutualHop = false } = options;
  const service = (name: string, ports: Record<string, number>, pods: readonly Pod[] = []): Promise<ServiceHandle> =>
    mesh.service({ name, namespace: NAMESPACE, ports, pods });
  // No protocol in the port's name, so that HTTP/2 stays HTTP/2.
  const proxy = await service('egress', { proxy: EGRESS_PORT }, [egress.pod]);
  // Makes the client listen on the HTTP port, so that every request can go its own way.
  const placeholder = await service('placeholder', { http: httpPort });
  // Else istiod's route cache gives the egress's Envoy the lazy route of this port.
  await service('decoy', { http: httpPort });
  await mesh.client.apply(egressRule(proxy, mutualHop));
  await mesh.client.apply(lazySidecar(client, proxy, [proxy, placeholder]));
  const known = [proxy, placeholder].map(({ host, port }) => `outbound|${port}||${host}`);
  await eventually(`the Envoy of ${client.name} knows nothing but egress and placeholder`, async () => {
    const clusters = (await admin.clusters()).filter((name) => name.startsWith('outbound|'));
    return clusters.join() === known.join();
  });
}

/** Sidecars tell the egress, by the PROXY header, from whom and where to; the header goes before any TLS. */
export function egressRule({ host }: ServiceHandle, mutualHop = false): KubernetesObject {
  const trafficPolicy = {
    proxyProtocol: { version: 'V2' },
    tls: { mode: mutualHop ? 'ISTIO_MUTUAL' : 'DISABLE' },
    connectionPool: { http: { idleTimeout: '10s' } },
  };
  return {
    apiVersion: NETWORKING,
    kind: 'DestinationRule',
    metadata: { name: 'lazyscope-egress', namespace: NAMESPACE },
    spec: { host, trafficPolicy },
  };
}

function lazySidecar(client: Pod, { host, port }: ServiceHandle, scope: readonly ServiceHandle[]): KubernetesObject {
  const { namespace, deployment } = client;
  return {
    apiVersion: NETWORKING,
    kind: 'Sidecar',
    metadata: { name: `lazyscope-${deployment}`, namespace },
    spec: {
      workloadSelector: { labels: { app: deployment } },
      outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host, port: { number: port } } },
      egress: [{ hosts: scope.map(({ key }) => key).sort() }],
    },
  };
}
