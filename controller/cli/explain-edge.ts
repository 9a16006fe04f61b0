/** Why a dependency is there and why it stands as it does, in sentences. */
import type { Timestamp } from '../core/model.ts';
import type { DependencyFlag, EdgeReport } from '../core/report.ts';
import { destinationName } from './names.ts';
import { ago, counted, utc } from './time-text.ts';

type RelayReason = NonNullable<EdgeReport['relayReason']>;

const stateMeaning: Readonly<Record<EdgeReport['state'], string>> = {
  observed:
    'seen, but not saved yet. The egress carries it meanwhile; if this lasts, /readyz?verbose tells about the store.',
  warming: 'published, but not known to have reached every Envoy of the workload yet. The egress carries it meanwhile.',
  active: 'every Envoy of the workload holds its cluster and connects directly.',
  relayed: 'carried by the egress for good.',
  cooling: 'on its way out: no longer routed, but still held, so that nothing fails. The next use learns it again.',
  expired: 'no longer in the scope. The egress carries the next use, which learns it again.',
};

const relayMeaning: Readonly<Record<RelayReason, string>> = {
  PodIP:
    'It was called by the address of a pod, and no cluster stands for a single pod. ' +
    'To make it direct, call the name of a Service in front of it; HTTP to a headless Service needs its name as Host.',
  NodeIP:
    'It was called by the address of a node. To make it direct, call the Service behind the node port by its name.',
  External:
    'The address belongs to nothing in the mesh. The egress forwards it; nothing needs to be done. ' +
    'To make it direct in Istio mode, declare it in a ServiceEntry.',
  HostMismatch:
    'It was called by a Host that is not a name of the service on this port, and Envoy routes HTTP by Host. ' +
    "To make it direct, send the service's own name as Host.",
  SniMismatch:
    'The TLS server name is a service of the mesh, but the address is not, and Envoy finds TLS services by address. ' +
    'To make it direct, connect to the address that the name of the service resolves to.',
  ProtocolMismatch:
    'The port is declared HTTP but carries something else, which Envoy hands on unseen. ' +
    'To make it direct, name the port tcp-... or tls-..., or set its appProtocol.',
  CapturesPort:
    'The ServiceEntry has a TCP port and no address: a sidecar that holds it sends it everything on that port. ' +
    'To make it direct, give the ServiceEntry addresses, or move its TCP port to a ServiceEntry of its own.',
  UndeclaredHeadless:
    'The headless Service has a port that declares no protocol. ' +
    'To make it direct, name the port http-..., tcp-... or the like, or set its appProtocol.',
};

const flagMeaning: Readonly<Record<DependencyFlag, string>> = {
  partlyRelayed:
    'Some new connections still cross the egress: a client that calls it in another way, or an Envoy that lost the ' +
    'controller ("lazyscope status"). It stays direct for all others.',
  degraded:
    'An Envoy has not acknowledged the cluster for more than 5 s; "lazyscope status" shows which one waits or rejects.',
  missing: 'The service or its port is not in the mesh now. What was learned is kept for when it returns.',
};

function learned({ origin, firstSeen, lastSeen }: EdgeReport, now: Timestamp): string {
  const how =
    origin === 'Seed'
      ? 'Taken over from what an Envoy held when it connected to a new store'
      : 'Learned from a connection through the egress';
  return `${how}: first seen ${utc(firstSeen)} (${ago(firstSeen, now)}), last seen ${ago(lastSeen, now)}.`;
}

/** @param carriedBytes what the egress has carried for the whole workload */
function traffic(edge: EdgeReport, carriedBytes: number): string {
  const { connections, requests, errors } = edge;
  const counts = [counted(connections, 'connection'), counted(requests, 'request'), counted(errors, 'error')];
  const counting = `Through the egress so far: ${counts.join(', ')}`;
  if (edge.state !== 'relayed' || carriedBytes === 0) return `${counting}. Direct traffic is not counted.`;
  const share = Math.round((bytesOf(edge) / carriedBytes) * 100);
  return `${counting}, ${counted(bytesOf(edge), 'byte')}: ${share} % of all that it carried for this workload.`;
}

/** What the egress has carried for an edge, both ways. */
export function bytesOf({ bytesSent, bytesReceived }: EdgeReport): number {
  return bytesSent + bytesReceived;
}

function promotion({ promotedAt, confirmedAt }: EdgeReport): string[] {
  if (promotedAt === undefined) return [];
  const published = `Published ${utc(promotedAt)}`;
  if (confirmedAt === undefined) return [`${published}, not confirmed yet.`];
  const wait = Math.max(0, Date.parse(confirmedAt) - Date.parse(promotedAt));
  return [`${published}, confirmed by the Envoys ${wait} ms later.`];
}

/**
 * The first line names and judges the edge, the others are its history and what to do.
 * @param carriedBytes what the egress has carried for all edges of the workload
 */
export function explainEdge(edge: EdgeReport, now: Timestamp, carriedBytes: number): readonly string[] {
  return [
    `${destinationName(edge)} (${edge.protocol}) is ${edge.state}: ${stateMeaning[edge.state]}`,
    ...(edge.relayReason === undefined ? [] : [`${edge.relayReason}: ${relayMeaning[edge.relayReason]}`]),
    learned(edge, now),
    ...promotion(edge),
    traffic(edge, carriedBytes),
    ...edge.flags.map((flag) => `${flag}: ${flagMeaning[flag]}`),
  ];
}
