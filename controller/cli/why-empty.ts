/** Every empty screen explains itself: the first link of the chain that is missing, and the command that shows more. */
import type { MeshStatus } from '../core/answer.ts';
import { isReady } from './status-text.ts';

const loading = 'The controller is not ready yet; "lazyscope status" says what it waits for.';

function within(namespace: string | undefined): string {
  return namespace === undefined ? '' : ` in namespace ${namespace}`;
}

/** Why there is no workload to show. */
export function whyNoWorkloads(status: MeshStatus, namespace?: string): string {
  if (!isReady(status)) return loading;
  if (status.workloads > 0)
    return `No workload${within(namespace)} is known; elsewhere there are ${status.workloads} (-A).`;
  return (
    'No workload is known: the controller has read no pods. Check that the files below its --path hold them ' +
    '(kubectl get services,endpointslices,pods -A -o yaml) and what it skipped.'
  );
}

/** Why there is no Envoy to show. */
export function whyNoProxies(namespace?: string): string {
  return (
    `No Envoy${within(namespace)} is connected to this controller. ` +
    'Start one with the configuration that "lazyscope bootstrap <workload>" prints.'
  );
}

/** Why there is no edge to show. */
export function whyNoEdges(status: MeshStatus, namespace?: string): string {
  if (!isReady(status)) return loading;
  if (status.edges > 0) return `No edge${within(namespace)} matches; the whole mesh has ${status.edges}.`;
  if (status.workloads === 0) return whyNoWorkloads(status);
  if (status.egresses === 0) {
    return 'No edge is known, because no egress reports to this controller. Start one with "lazyscope egress".';
  }
  if (status.proxies === 0) return `No edge is known yet. ${whyNoProxies()}`;
  return (
    'No edge is known yet: no answered connection has crossed the egress. ' +
    'The first request of a pod to a service makes one within seconds.'
  );
}
