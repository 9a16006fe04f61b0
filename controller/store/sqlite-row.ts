/** A {@link Dependency} as a row of table `dependency`, and back. */
import type { SQLOutputValue } from 'node:sqlite';
import { dependencyKey } from '../core/graph/dependency.ts';
import type {
  Dependency,
  DependencyState,
  Destination,
  EdgeOrigin,
  RelayReason,
  Timestamp,
  TrafficCounters,
  WireProtocol,
} from '../core/model.ts';

/** A union of the model as a table; the compiler asks for every member. */
type Names<Union extends string> = { readonly [Name in Union]: Name };
const DESTINATIONS: Names<Destination['kind']> = { Service: 'Service', Address: 'Address' };
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
const LATEST = 8.64e15;

/** One row. */
export interface DependencyRow {
  readonly key: string;
  readonly source: string;
  readonly destination_kind: Destination['kind'];
  readonly destination: string;
  readonly destination_port: number;
  readonly destination_host: string | null;
  readonly protocol: WireProtocol;
  readonly origin: EdgeOrigin;
  readonly state: DependencyState;
  readonly relay_reason: RelayReason | null;
  readonly first_seen: number;
  readonly last_seen: number;
  readonly connections: number;
  readonly requests: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  readonly errors: number;
  readonly promoted_at: number | null;
  readonly confirmed_at: number | null;
  readonly relayed_at: number | null;
  readonly cooled_at: number | null;
}

type Column = keyof DependencyRow;

/** Every column; the compiler asks for each. */
const COLUMNS = Object.keys({
  key: 0,
  source: 0,
  destination_kind: 0,
  destination: 0,
  destination_port: 0,
  destination_host: 0,
  protocol: 0,
  origin: 0,
  state: 0,
  relay_reason: 0,
  first_seen: 0,
  last_seen: 0,
  connections: 0,
  requests: 0,
  bytes_sent: 0,
  bytes_received: 0,
  errors: 0,
  promoted_at: 0,
  confirmed_at: 0,
  relayed_at: 0,
  cooled_at: 0,
} satisfies Record<Column, 0>);

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

/** What SQLite gives of a row. Anybody can write to a file, so that it may be anything. */
type StoredRow = Readonly<Record<string, SQLOutputValue>>;

/**
 * Reads rows back. Those of one store name the same workloads and services again and again: they share one copy of each
 * text. Not a schema's work: it takes several times as long, and every start waits for fifty thousand rows.
 */
export class RowReader {
  readonly #texts = new Map<string, string>();

  /** @throws Error that names the column, or says so, when the row is none of ours */
  read(row: StoredRow): Dependency {
    const dependency = this.#dependency(row);
    // The pages of a file carry no checksums: a flipped bit in a name would be another workload or service.
    const key = dependencyKey(dependency);
    if (key !== row['key']) throw new Error(`the row is that of "${key}"`);
    return dependency;
  }

  #dependency(row: StoredRow): Dependency {
    const relayReason = row['relay_reason'] === null ? undefined : nameIn(RELAY_REASONS, row, 'relay_reason');
    const promotedAt = optionalTime(row, 'promoted_at');
    const confirmedAt = optionalTime(row, 'confirmed_at');
    const relayedAt = optionalTime(row, 'relayed_at');
    const cooledAt = optionalTime(row, 'cooled_at');
    return {
      source: this.#same(text(row, 'source')),
      destination: this.#destination(row),
      protocol: nameIn(PROTOCOLS, row, 'protocol'),
      origin: nameIn(ORIGINS, row, 'origin'),
      state: nameIn(STATES, row, 'state'),
      ...(relayReason !== undefined && { relayReason }),
      firstSeen: time(row, 'first_seen'),
      lastSeen: time(row, 'last_seen'),
      counters: countersOf(row),
      ...(promotedAt !== undefined && { promotedAt }),
      ...(confirmedAt !== undefined && { confirmedAt }),
      ...(relayedAt !== undefined && { relayedAt }),
      ...(cooledAt !== undefined && { cooledAt }),
    };
  }

  #destination(row: StoredRow): Destination {
    const kind = nameIn(DESTINATIONS, row, 'destination_kind');
    const destination = this.#same(text(row, 'destination'));
    const port = number(row, 'destination_port');
    if (kind === 'Service') return { kind, service: destination, port };
    const host = row['destination_host'] === null ? undefined : this.#same(text(row, 'destination_host'));
    return { kind, address: destination, port, ...(host !== undefined && { host }) };
  }

  #same(value: string): string {
    const known = this.#texts.get(value);
    if (known === undefined) this.#texts.set(value, value);
    return known ?? value;
  }
}

function countersOf(row: StoredRow): TrafficCounters {
  return {
    connections: number(row, 'connections'),
    requests: number(row, 'requests'),
    bytesSent: number(row, 'bytes_sent'),
    bytesReceived: number(row, 'bytes_received'),
    errors: number(row, 'errors'),
  };
}

function text(row: StoredRow, column: Column): string {
  const value = row[column];
  return typeof value === 'string' ? value : wrong(row, column, 'text');
}

/** SQLite has infinite numbers, too. */
function number(row: StoredRow, column: Column): number {
  const value = row[column];
  return typeof value === 'number' && Number.isFinite(value) ? value : wrong(row, column, 'a finite number');
}

function time(row: StoredRow, column: Column): Timestamp {
  const value = number(row, column);
  return Math.abs(value) <= LATEST ? value : wrong(row, column, 'milliseconds since the epoch');
}

function optionalTime(row: StoredRow, column: Column): Timestamp | undefined {
  return row[column] === null ? undefined : time(row, column);
}

function nameIn<Union extends string>(names: Names<Union>, row: StoredRow, column: Column): Union {
  const value = text(row, column);
  const known: Readonly<Record<string, Union>> = names;
  const name = Object.hasOwn(names, value) ? known[value] : undefined;
  return name ?? wrong(row, column, `one of ${Object.keys(names).join(', ')}`);
}

function wrong(row: StoredRow, column: Column, expected: string): never {
  throw new Error(`column ${column}: expected ${expected}, found ${JSON.stringify(row[column] ?? null)}`);
}
