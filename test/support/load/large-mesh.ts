/** A mesh of 10,000 services with 100,000 endpoints, and 1,000 workloads that use 50 of them each. Everything follows from numbers. */
import type { SocketAddress } from '../../../controller/core/model.ts';
import type { KubernetesObject } from '../bed/kubernetes-objects.ts';

export const SERVICES = 10_000;
const ENDPOINTS_PER_SERVICE = 10;
export const WORKLOADS = 1_000;
export const SERVICES_PER_WORKLOAD = 50;
/** Every workload uses it. */
export const POPULAR = 0;

const NAMESPACE = 'load';
/** 10 HTTP ports; others than those of TCP, so that no port is both. */
const HTTP_PORTS = 10;

interface LargeService extends SocketAddress {
  readonly name: string;
  readonly host: string;
  readonly isHttp: boolean;
}

/** Address `number` (below 2^18) of 10.`from`.0.0/14. */
function address(from: number, number: number): string {
  return `10.${from + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

export function largeService(number: number): LargeService {
  const isHttp = number % 5 !== 4;
  const name = `service-${number}`;
  const port = isHttp ? 8_000 + (number % HTTP_PORTS) : 5_432;
  return { name, host: `${name}.${NAMESPACE}.svc.cluster.local`, address: address(200, number + 1), port, isHttp };
}

/** `outbound|port||host`. */
export function clusterOfService(number: number): string {
  const { host, port } = largeService(number);
  return `outbound|${port}||${host}`;
}

/** Numbers of the services that a workload uses. */
export function servicesOf(workload: number): readonly number[] {
  const others = Array.from({ length: SERVICES_PER_WORKLOAD - 1 }, (_, at) => {
    return 1 + ((workload * (SERVICES_PER_WORKLOAD - 1) + at) % (SERVICES - 1));
  });
  return [POPULAR, ...others];
}

export function podAddress(workload: number): string {
  return address(210, workload + 1);
}

/** As an Envoy of the workload's one pod names itself. */
export function sidecarId(workload: number): string {
  return `sidecar~${podAddress(workload)}~app-${workload}-0.${NAMESPACE}~${NAMESPACE}.svc.cluster.local`;
}

/** A workload's one pod. */
export function workloadPod(workload: number): KubernetesObject {
  const name = `app-${workload}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-0`,
      namespace: NAMESPACE,
      uid: `uid-${name}`,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: `uid-of-${name}`, controller: true }],
    },
    status: { phase: 'Running', podIPs: [{ ip: podAddress(workload) }], startTime: '2026-01-01T00:00:00Z' },
  };
}

/** A Service and its EndpointSlice. @param generation another one has other endpoints */
export function serviceWithEndpoints(number: number, generation = 0): readonly KubernetesObject[] {
  const { name, address: clusterIP, port, isHttp } = largeService(number);
  const portName = isHttp ? 'http' : 'tcp';
  const first = number * ENDPOINTS_PER_SERVICE + generation;
  const endpoints = Array.from({ length: ENDPOINTS_PER_SERVICE }, (_, at) => ({
    addresses: [address(220, first + at)],
    conditions: { ready: true },
  }));
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        clusterIP,
        clusterIPs: [clusterIP],
        ports: [{ name: portName, port, targetPort: port, protocol: 'TCP' }],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: portName, port, protocol: 'TCP' }],
      endpoints,
    },
  ];
}
