/** Reads Envoy's `StreamAccessLogsMessage`, whoever wrote it: in full, in part, or not at all, but without throwing. */
import type { AccessLogEntry, TrafficCounters, WireProtocol } from '../core/model.ts';
import type { Problem } from '../core/ports.ts';
import { printableText } from '../core/printable-text.ts';
import { type AddressFields, type EntryFields, EntryScanner } from './access-log-fields.ts';
import { messageType } from './messages.ts';
import { ProtoReader } from './proto-reader.ts';

/** Fields as the wire tells them, `number << 3 | wire type`, by message. Names as in Envoy's `.proto` files. */
const MESSAGE = { identifier: 0x0a, http_logs: 0x12, tcp_logs: 0x1a } as const;
const IDENTIFIER = { node: 0x0a, log_name: 0x12 } as const;
const NODE = { id: 0x0a } as const;
const LOGS = { log_entry: 0x0a } as const;

const TYPES = messageType('envoy.data.accesslog.v3.AccessLogCommon').root.lookupEnum(
  'envoy.data.accesslog.v3.AccessLogType',
);
const PHASES = new Map<number, AccessLogEntry['phase']>();
for (const [name, phase] of [
  ['DownstreamStart', 'Start'],
  ['DownstreamPeriodic', 'Periodic'],
  ['DownstreamEnd', 'End'],
  ['TcpConnectionStart', 'Start'],
  ['TcpUpstreamConnected', 'Start'],
  ['TcpPeriodic', 'Periodic'],
  ['TcpConnectionEnd', 'End'],
] as const) {
  PHASES.set(TYPES.values[name] as number, phase);
}
/** `HTTPVersion`. */
const HTTP2 = 3;

/** 0001-01-01 to 9999-12-31: what `google.protobuf.Timestamp` may hold. Later ones are no dates to JavaScript either. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;
const LAST_NANO = 999_999_999;
const LAST_PORT = 65_535;
/** Of one message. All entries that are skipped are counted. */
const MOST_PROBLEMS = 10;

/** What one message of a stream says. */
export interface DecodedAccessLogs {
  /** Why nothing could be read of it: then everything else is empty. */
  readonly unreadable?: string;
  /** Node id, in the first message of a stream. */
  readonly nodeId?: string;
  readonly logName?: string;
  readonly entries: readonly AccessLogEntry[];
  /** Connections that the egress has refused by source address, where the message tells that. */
  readonly refusals?: ReadonlyMap<string, number>;
  /** How many entries were skipped. */
  readonly skipped: number;
  /** Why, each reason once and at most 10 of them. */
  readonly problems: readonly Problem[];
}

/** What the outer parts of a message say. */
interface Envelope {
  nodeId?: string;
  logName?: string;
  isHttp: boolean;
  /** Start and end of each entry in turn. */
  ranges: number[];
  /** How many entries a `oneof` lost: only the last kind of a message holds. */
  superseded: number;
}

const reader = new ProtoReader();
const scanner = new EntryScanner(reader);

/**
 * Reads one message. Entries are as good as each one is; but where the lengths around them are wrong nothing is read, as
 * it could be anything.
 * @param reporter node id of the stream, used where this message has no identifier
 */
export function decodeAccessLogs(message: Uint8Array, reporter: string): DecodedAccessLogs {
  const bytes = Buffer.isBuffer(message)
    ? message
    : Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const envelope = openEnvelope(bytes);
  if (typeof envelope === 'string') return { unreadable: envelope, entries: [], skipped: 0, problems: [] };
  const { nodeId, logName } = envelope;
  return {
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(logName === undefined ? {} : { logName }),
    ...readEntries(bytes, envelope, nodeId ?? reporter),
  };
}

/** The parts of a message, or what is wrong with it. */
function openEnvelope(bytes: Buffer): Envelope | string {
  const envelope: Envelope = { isHttp: false, ranges: [], superseded: 0 };
  reader.open(bytes, 0, bytes.length);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === MESSAGE.identifier) openIdentifier(bytes, envelope);
    else if (tag === MESSAGE.http_logs || tag === MESSAGE.tcp_logs) openLogs(envelope, tag === MESSAGE.http_logs);
    else reader.skip(tag, 0);
  }
  return reader.fault ?? envelope;
}

function openIdentifier(bytes: Buffer, envelope: Envelope): void {
  envelope.logName ??= '';
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === IDENTIFIER.node) openNode(bytes, envelope);
    else if (tag === IDENTIFIER.log_name) {
      reader.text();
      envelope.logName = bytes.toString('utf8', reader.rangeStart, reader.rangeEnd);
    } else reader.skip(tag, 1);
  }
  reader.leave(outer);
}

function openNode(bytes: Buffer, envelope: Envelope): void {
  envelope.nodeId ??= '';
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === NODE.id) {
      reader.text();
      envelope.nodeId = bytes.toString('utf8', reader.rangeStart, reader.rangeEnd);
    } else reader.skip(tag, 2);
  }
  reader.leave(outer);
}

function openLogs(envelope: Envelope, isHttp: boolean): void {
  if (envelope.isHttp !== isHttp) {
    envelope.superseded += envelope.ranges.length / 2;
    envelope.ranges = [];
    envelope.isHttp = isHttp;
  }
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === LOGS.log_entry) {
      reader.range();
      envelope.ranges.push(reader.rangeStart, reader.rangeEnd);
    } else reader.skip(tag, 1);
  }
  reader.leave(outer);
}

type Read = Pick<DecodedAccessLogs, 'entries' | 'refusals' | 'skipped' | 'problems'>;

function readEntries(bytes: Buffer, { ranges, isHttp, superseded }: Envelope, reporter: string): Read {
  const entries: AccessLogEntry[] = [];
  const refusals = new Map<string, number>();
  const reasons = new Set<string>();
  let skipped = superseded;
  if (superseded > 0) reasons.add('it came with entries of the other kind, and a message holds http_logs or tcp_logs');
  for (let index = 0; index < ranges.length; index += 2) {
    const fault = scanner.scan(bytes, ranges[index] as number, ranges[index + 1] as number, isHttp);
    if (fault === undefined && scanner.fields.hasCounts && scanner.fields.counts.refusals > 0) {
      addRefusals(refusals, scanner.fields);
      continue;
    }
    const entry = fault ?? toEntry(scanner.fields, reporter, isHttp);
    if (typeof entry !== 'string') entries.push(entry);
    else {
      skipped += 1;
      if (reasons.size < MOST_PROBLEMS) reasons.add(entry);
    }
  }
  const subject = `access log entry of ${printableText(reporter)}`;
  const problems = [...reasons].map((reason) => ({ subject, reason: `skipped: ${reason}` }));
  return { entries, ...(refusals.size > 0 ? { refusals } : {}), skipped, problems };
}

/** Without an address of its source it hurts nobody that we know. */
function addRefusals(refusals: Map<string, number>, { source, counts }: EntryFields): void {
  const address = source.written.canonical ?? '';
  refusals.set(address, (refusals.get(address) ?? 0) + counts.refusals);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @returns the entry, or why it is none */
function toEntry(fields: EntryFields, reporter: string, isHttp: boolean): AccessLogEntry | string {
  const { source, destination, seconds, nanos, host, serverName } = fields;
  const phase = PHASES.get(fields.type);
  const fault =
    addressFault(source, 'downstream_remote_address', 0) ??
    addressFault(destination, 'downstream_local_address', 1) ??
    (phase === undefined ? typeFault(fields.type) : timeFault(fields));
  if (fault !== undefined || phase === undefined) return fault ?? '';
  const startTime = seconds * 1000 + Math.floor(nanos / 1_000_000);
  const from = { address: source.written.canonical ?? '', port: source.port };
  const to = { address: destination.written.canonical ?? '', port: destination.port };
  const protocol = wireProtocol(fields, isHttp);
  const answered = !fields.isConnectionFailure;
  const counters = fields.hasCounts ? trafficOf(fields) : NO_TRAFFIC;
  // Whole at once: a field that is added later costs an object of its own, and most entries have a host.
  const entry: Mutable<AccessLogEntry> =
    host === ''
      ? { phase, reporter, startTime, source: from, destination: to, protocol, answered, counters }
      : { phase, reporter, startTime, source: from, destination: to, protocol, answered, counters, host };
  if (serverName !== '') entry.serverName = serverName;
  return entry;
}

/** All the same one for entries that count nothing, which Envoy's do. */
const NO_TRAFFIC: TrafficCounters = { connections: 0, requests: 0, bytesSent: 0, bytesReceived: 0, errors: 0 };

function trafficOf({ counts }: EntryFields): TrafficCounters {
  const { connections, requests, bytesSent, bytesReceived, errors } = counts;
  return { connections, requests, bytesSent, bytesReceived, errors };
}

function wireProtocol({ version, hasTls }: EntryFields, isHttp: boolean): WireProtocol {
  if (isHttp) return version === HTTP2 ? 'HTTP2' : 'HTTP1';
  return hasTls ? 'TLS' : 'TCP';
}

function addressFault({ written, port }: AddressFields, field: string, lowestPort: number): string | undefined {
  if (written.text === '') return `${field} is missing or is not that of a socket`;
  if (written.canonical === undefined) return `${field} "${printableText(written.text)}" is no IP address`;
  return port >= lowestPort && port <= LAST_PORT ? undefined : `${field} has port ${port}`;
}

function typeFault(type: number): string {
  return `access_log_type ${TYPES.valuesById[type] ?? type} is not one we read`;
}

function timeFault({ hasStartTime, seconds, nanos }: EntryFields): string | undefined {
  if (!hasStartTime) return 'start_time is missing';
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) return 'start_time is not between the years 1 and 9999';
  return nanos >= 0 && nanos <= LAST_NANO ? undefined : 'start_time has nanos that are no part of a second';
}
