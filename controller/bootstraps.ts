/** Finds out what a workload's bootstrap must say: which pod, which addresses. */

import type { ControllerConfig } from './config.ts';
import { LazyscopeError } from './core/error.ts';
import { namespaceOf } from './core/key-parts.ts';
import type { NodeIdentity, SocketAddress, WorkloadKey } from './core/model.ts';
import type { ReadModel, WorkloadReport } from './core/report.ts';
import { bootstrap } from './core/resources/bootstrap.ts';

/** Envoy's usual admin port in Istio's sidecars. */
const ADMIN_PORT = 15_000;

/** What the caller knows better than the controller's configuration. */
export interface BootstrapRequest {
  /** Needed when the workload has several pods. */
  readonly pod?: string;
  readonly controller?: SocketAddress;
  readonly egress?: readonly SocketAddress[];
  /** Port of Envoy's admin interface, on loopback. */
  readonly admin?: number;
}

/**
 * The Envoy bootstrap of one pod of a workload, as plain data.
 * @throws LazyscopeError `NotFound` for an unknown workload or pod, `InvalidConfiguration` when a pod must be chosen
 */
export function workloadBootstrap(
  readModel: ReadModel,
  config: ControllerConfig,
  workload: WorkloadKey,
  request: BootstrapRequest,
): object {
  const report = readModel.workload(workload);
  if (!report) throw new LazyscopeError('NotFound', `Workload ${workload} has no pod that the source has told.`);
  const namespace = namespaceOf(workload);
  return bootstrap({
    node: nodeOf(choosePod(report, request.pod), namespace, config.clusterDomain),
    workload: workload.slice(workload.lastIndexOf('/') + 1),
    controller: request.controller ?? config.advertise,
    egress: request.egress ?? config.egress,
    admin: { address: '127.0.0.1', port: request.admin ?? ADMIN_PORT },
  });
}

type PodReport = WorkloadReport['pods'][number];

function choosePod({ workload, pods }: WorkloadReport, name: string | undefined): PodReport {
  const names = pods.map((pod) => pod.name).join(', ');
  const chosen = name === undefined ? pods[0] : pods.find((pod) => pod.name === name);
  if (!chosen)
    throw new LazyscopeError('NotFound', `Workload ${workload} has no pod ${name ?? ''}; it has: ${names || 'none'}.`);
  if (name === undefined && pods.length > 1) {
    throw new LazyscopeError(
      'InvalidConfiguration',
      `Workload ${workload} has several pods; say which with pod (--pod on the command line): ${names}.`,
    );
  }
  return chosen;
}

function nodeOf(pod: PodReport, namespace: string, clusterDomain: string): NodeIdentity {
  const [address] = pod.addresses;
  if (address === undefined) {
    throw new LazyscopeError(
      'InvalidConfiguration',
      `Pod ${namespace}/${pod.name} has no address yet (status.podIPs).`,
    );
  }
  const domain = `${namespace}.svc.${clusterDomain}`;
  return {
    id: `sidecar~${address}~${pod.name}.${namespace}~${domain}`,
    kind: 'sidecar',
    address,
    pod: pod.name,
    namespace,
    domain,
  };
}
