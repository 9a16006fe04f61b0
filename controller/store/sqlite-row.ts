/** A {@link Dependency} as a row of table `dependency`, and back. */
import type { SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import { dependencyKey } from '../core/graph/dependency.ts';
import type {
  Dependency,
  DependencyState,
  Destination,
  EdgeOrigin,
  RelayReason,
  TrafficCounters,
  WireProtocol,
} from '../core/model.ts';

/** A union of the model as a schema; the compiler asks for every member. */
type Names<Union extends string> = { readonly [Name in Union]: Name };
const PROTOCOLS: Names<WireProtocol> = { HTTP1: 'HTTP1', HTTP2: 'HTTP2', TLS: 'TLS', TCP: 'TCP' };
const ORIGINS: Names<EdgeOrigin> = { EgressLog: 'EgressLog', Seed: 'Seed' };
const STATES: Names<DependencyState> = {
  observed: 'observed',
  warming: 'warming',
  active: 'active',
  relayed: 'relayed',
  cooling: 'cooling',
  expired: 'expired',
};
const RELAY_REASONS: Names<RelayReason> = {
  PodIP: 'PodIP',
  NodeIP: 'NodeIP',
  External: 'External',
  HostMismatch: 'HostMismatch',
  SniMismatch: 'SniMismatch',
  ProtocolMismatch: 'ProtocolMismatch',
  CapturesPort: 'CapturesPort',
  UndeclaredHeadless: 'UndeclaredHeadless',
};

/** What a JavaScript `Date` holds: a time beyond it could not be written out. */
const timestamp = z.number().min(-8.64e15).max(8.64e15);

/** One row. Read back through this schema, since anybody can write to a file. */
const rowSchema = z.object({
  key: z.string(),
  source: z.string(),
  destination_kind: z.enum(['Service', 'Address']),
  destination: z.string(),
  destination_port: z.number(),
  destination_host: z.string().nullable(),
  protocol: z.enum(PROTOCOLS),
  origin: z.enum(ORIGINS),
  state: z.enum(STATES),
  relay_reason: z.enum(RELAY_REASONS).nullable(),
  first_seen: timestamp,
  last_seen: timestamp,
  connections: z.number(),
  requests: z.number(),
  bytes_sent: z.number(),
  bytes_received: z.number(),
  errors: z.number(),
  promoted_at: timestamp.nullable(),
  confirmed_at: timestamp.nullable(),
  relayed_at: timestamp.nullable(),
  cooled_at: timestamp.nullable(),
});
export type DependencyRow = z.infer<typeof rowSchema>;

const COLUMNS = Object.keys(rowSchema.shape);

/** Binds a {@link DependencyRow} by name. */
export const UPSERT = `INSERT OR REPLACE INTO dependency (${COLUMNS.join(', ')})
  VALUES (${COLUMNS.map((column) => `:${column}`).join(', ')})`;

export const SELECT_ALL = `SELECT ${COLUMNS.join(', ')} FROM dependency`;

export function toRow(dependency: Dependency): DependencyRow {
  const { destination, counters } = dependency;
  const isService = destination.kind === 'Service';
  return {
    key: dependencyKey(dependency),
    source: dependency.source,
    destination_kind: destination.kind,
    destination: isService ? destination.service : destination.address,
    destination_port: destination.port,
    destination_host: isService ? null : (destination.host ?? null),
    protocol: dependency.protocol,
    origin: dependency.origin,
    state: dependency.state,
    relay_reason: dependency.relayReason ?? null,
    first_seen: dependency.firstSeen,
    last_seen: dependency.lastSeen,
    connections: counters.connections,
    requests: counters.requests,
    bytes_sent: counters.bytesSent,
    bytes_received: counters.bytesReceived,
    errors: counters.errors,
    promoted_at: dependency.promotedAt ?? null,
    confirmed_at: dependency.confirmedAt ?? null,
    relayed_at: dependency.relayedAt ?? null,
    cooled_at: dependency.cooledAt ?? null,
  };
}

/** Throws zod's error, which names the column, or an error that says so, when the row is none of ours. */
export function fromRow(values: Record<string, SQLOutputValue>): Dependency {
  const row = rowSchema.parse(values);
  const dependency = dependencyOf(row);
  // The pages of a file carry no checksums: a flipped bit in a name would be another workload or service.
  const key = dependencyKey(dependency);
  if (key !== row.key) throw new Error(`the row is that of "${key}"`);
  return dependency;
}

function dependencyOf(row: DependencyRow): Dependency {
  return {
    source: row.source,
    destination: destinationOf(row),
    protocol: row.protocol,
    origin: row.origin,
    state: row.state,
    ...(row.relay_reason !== null && { relayReason: row.relay_reason }),
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    counters: countersOf(row),
    ...(row.promoted_at !== null && { promotedAt: row.promoted_at }),
    ...(row.confirmed_at !== null && { confirmedAt: row.confirmed_at }),
    ...(row.relayed_at !== null && { relayedAt: row.relayed_at }),
    ...(row.cooled_at !== null && { cooledAt: row.cooled_at }),
  };
}

function destinationOf(row: DependencyRow): Destination {
  const port = row.destination_port;
  if (row.destination_kind === 'Service') return { kind: 'Service', service: row.destination, port };
  const host = row.destination_host !== null && { host: row.destination_host };
  return { kind: 'Address', address: row.destination, port, ...host };
}

function countersOf(row: DependencyRow): TrafficCounters {
  const { connections, requests, errors } = row;
  return { connections, requests, bytesSent: row.bytes_sent, bytesReceived: row.bytes_received, errors };
}
