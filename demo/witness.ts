/** Tells, in a caller's pod, which way an answer came. */
import { get } from 'node:http';
import { text } from 'node:stream/consumers';

/** Who knows it. */
export type Witness =
  /** The server, before which no sidecar stands: it sees the caller's address, or that of the egress. */
  | { readonly kind: 'Server'; readonly own: string; readonly egress: string }
  /**
   * The caller's sidecar, by its admin interface at this port of the pod: it counts the connections to every service.
   * The server sees nobody but its own sidecar.
   */
  | { readonly kind: 'Sidecar'; readonly adminPort: number; readonly egressCluster: string };

export type Path = 'Direct' | 'Egress' | 'Unknown';

export interface Answer {
  /** Address that the server saw. */
  readonly from: string;
  /** Cluster of the service that answered, as sidecars call it. */
  readonly cluster: string;
}

/** Which way the newest answer of a service came, which nothing else in the pod calls. */
export async function pathOf(witness: Witness, { from, cluster }: Answer): Promise<Path> {
  if (witness.kind === 'Server')
    return from === witness.own ? 'Direct' : from === witness.egress ? 'Egress' : 'Unknown';
  const report = await clusterReport(witness.adminPort);
  // A cluster counts from zero when it comes into the sidecar, so any connection in it is a direct one.
  if (connections(report, cluster) > 0) return 'Direct';
  return connections(report, witness.egressCluster) > 0 ? 'Egress' : 'Unknown';
}

async function clusterReport(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/clusters' }, (response) => text(response).then(resolve, reject)).once(
      'error',
      reject,
    );
  });
}

/** Connections that a sidecar ever opened in a cluster: `<cluster>::<address>::cx_total::<count>`. */
function connections(report: string, cluster: string): number {
  const counts = report
    .split('\n')
    .filter((line) => line.startsWith(`${cluster}::`))
    .map((line) => /::cx_total::(\d+)$/.exec(line)?.[1]);
  return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
}
