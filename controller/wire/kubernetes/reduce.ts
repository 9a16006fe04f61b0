/** Kubernetes objects as the API server prints them, reduced to what the mesh needs. */
import { z } from 'zod';
import { readAuthorizationPolicy } from './authorization-policy.ts';
import { readConfigMap } from './config-map.ts';
import { readDestinationRule } from './destination-rule.ts';
import { readEndpointSlice } from './endpoint-slice.ts';
import { readNamespace } from './namespace.ts';
import { readNetworkPolicy } from './network-policy.ts';
import { readNode } from './node.ts';
import { readPod } from './pod.ts';
import {
  readCronJob,
  readDaemonSet,
  readDeployment,
  readJob,
  readReplicaSet,
  readStatefulSet,
} from './pod-controller.ts';
import { joinReductions, type KindReader, type ReduceOptions, type Reduction, reduction } from './reduction.ts';
import { readService } from './service.ts';
import { readServiceEntry } from './service-entry.ts';
import { readSidecar } from './sidecar.ts';
import { readVirtualService } from './virtual-service.ts';

/** Istio serves one content under each of these; what a user applies has the version it was written in. */
function istioKind(
  group: string,
  versions: readonly string[],
  kind: string,
  reader: KindReader,
): [string, KindReader][] {
  return versions.map((version) => [`${group}/${version} ${kind}`, reader]);
}

const NETWORKING = 'networking.istio.io';
const NETWORKING_VERSIONS = ['v1', 'v1beta1', 'v1alpha3'];

/** By group, version and kind: a Knative Service is none of ours. */
const READERS: ReadonlyMap<string, KindReader> = new Map([
  ['v1 Service', readService],
  ['discovery.k8s.io/v1 EndpointSlice', readEndpointSlice],
  ['v1 Pod', readPod],
  ['apps/v1 ReplicaSet', readReplicaSet],
  ['apps/v1 Deployment', readDeployment],
  ['apps/v1 StatefulSet', readStatefulSet],
  ['apps/v1 DaemonSet', readDaemonSet],
  ['batch/v1 Job', readJob],
  ['batch/v1 CronJob', readCronJob],
  ['v1 Namespace', readNamespace],
  ['v1 Node', readNode],
  ['v1 ConfigMap', readConfigMap],
  ['networking.k8s.io/v1 NetworkPolicy', readNetworkPolicy],
  ...istioKind(NETWORKING, NETWORKING_VERSIONS, 'ServiceEntry', readServiceEntry),
  ...istioKind(NETWORKING, NETWORKING_VERSIONS, 'VirtualService', readVirtualService),
  ...istioKind(NETWORKING, NETWORKING_VERSIONS, 'DestinationRule', readDestinationRule),
  ...istioKind(NETWORKING, NETWORKING_VERSIONS, 'Sidecar', readSidecar),
  ...istioKind('security.istio.io', ['v1', 'v1beta1'], 'AuthorizationPolicy', readAuthorizationPolicy),
]);

const typeSchema = z.object({ apiVersion: z.string().min(1), kind: z.string().min(1) });
const itemsSchema = z.object({ items: z.array(z.unknown()).nullable() });

/** Go prints the items of a typed list (`PodList`) without their kind. */
function withType(item: unknown, apiVersion: string, kind: string): unknown {
  if (kind === '' || item === null || typeof item !== 'object' || 'kind' in item) return item;
  return { apiVersion, kind, ...item };
}

function reduceList(value: unknown, apiVersion: string, kind: string, options: ReduceOptions): Reduction {
  const { data } = itemsSchema.safeParse(value);
  if (!data) {
    return reduction({ problems: [{ subject: kind, reason: 'items: expected a list of objects' }], unnamed: 1 });
  }
  const itemKind = kind.slice(0, -'List'.length);
  return joinReductions((data.items ?? []).map((item) => reduce(withType(item, apiVersion, itemKind), options)));
}

/** `List`, or the typed list of a kind that we read. */
function isList(apiVersion: string, kind: string): boolean {
  return kind === 'List' || (kind.endsWith('List') && READERS.has(`${apiVersion} ${kind.slice(0, -'List'.length)}`));
}

/**
 * Reduces one object of a kind that we read, whatever it says of its kind: items of lists say nothing.
 * @throws Error for a kind that we do not read
 */
export function reduceAs(apiVersion: string, kind: string, value: unknown, options: ReduceOptions): Reduction {
  const reader = READERS.get(`${apiVersion} ${kind}`);
  if (!reader) throw new Error(`${apiVersion} ${kind} is not read`);
  return reader(value, options);
}

/**
 * Reduces one object, or every object of a list (`List`, `ServiceList`, ...). Objects that are wrong become problems,
 * kinds that we do not read are ignored; neither stops the others.
 */
export function reduce(value: unknown, options: ReduceOptions): Reduction {
  const { data: type } = typeSchema.safeParse(value);
  if (!type) {
    const reason = 'expected a Kubernetes object with apiVersion and kind';
    return reduction({ problems: [{ subject: 'object', reason }], unnamed: 1 });
  }
  const { apiVersion, kind } = type;
  const name = `${apiVersion} ${kind}`;
  const reader = READERS.get(name);
  if (reader) return reader(value, options);
  if (isList(apiVersion, kind)) return reduceList(value, apiVersion, kind, options);
  return reduction({ ignored: [{ kind: name }] });
}
