/**
 * Our access log entries as Envoy's `StreamAccessLogsMessage` and back: HTTP/1 and HTTP/2 as `http_logs`, the rest as
 * `tcp_logs`. Counters travel as `custom_tags`, since Envoy's own fields count one request or connection.
 */
import type { AccessLogEntry, SocketAddress, TrafficCounters, WireProtocol } from '../core/model.ts';
import type { Problem } from '../core/ports.ts';
import { decode, encode, type PlainMessage } from './messages.ts';

const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';

const HTTP_TYPES = { Start: 'DownstreamStart', Periodic: 'DownstreamPeriodic', End: 'DownstreamEnd' } as const;
const TCP_TYPES = { Start: 'TcpConnectionStart', Periodic: 'TcpPeriodic', End: 'TcpConnectionEnd' } as const;
const PHASES: Readonly<Record<string, AccessLogEntry['phase']>> = {
  DownstreamStart: 'Start',
  DownstreamPeriodic: 'Periodic',
  DownstreamEnd: 'End',
  TcpConnectionStart: 'Start',
  TcpUpstreamConnected: 'Start',
  TcpPeriodic: 'Periodic',
  TcpConnectionEnd: 'End',
};

const REFUSALS_TAG = 'refusals';
const COUNTERS = ['connections', 'requests', 'bytesSent', 'bytesReceived', 'errors'] as const;

/** Log name in the stream's identifier: tells our egress from an Envoy that logs by itself. */
export const EGRESS_LOG_NAME = 'lazyscope-egress';

function socketAddress({ address, port }: SocketAddress): PlainMessage {
  return { socket_address: { address, port_value: port } };
}

/** Present for TLS without a server name too: that is how a TCP entry says that it is TLS. */
function tlsProperties({ protocol, serverName }: AccessLogEntry): PlainMessage {
  if (protocol !== 'TLS' && serverName === undefined) return {};
  return { tls_properties: serverName === undefined ? {} : { tls_sni_hostname: serverName } };
}

function commonProperties(entry: AccessLogEntry, type: string): PlainMessage {
  const nanos = (entry.startTime % 1000) * 1_000_000;
  const tags = COUNTERS.filter((name) => entry.counters[name] > 0);
  return {
    downstream_remote_address: socketAddress(entry.source),
    downstream_direct_remote_address: socketAddress(entry.source),
    downstream_local_address: socketAddress(entry.destination),
    start_time: { seconds: Math.floor(entry.startTime / 1000), nanos },
    access_log_type: type,
    ...(entry.answered ? {} : { response_flags: { upstream_connection_failure: true } }),
    ...tlsProperties(entry),
    custom_tags: Object.fromEntries(tags.map((name) => [name, String(entry.counters[name])])),
  };
}

function httpEntry(entry: AccessLogEntry): PlainMessage {
  return {
    common_properties: commonProperties(entry, HTTP_TYPES[entry.phase]),
    protocol_version: entry.protocol === 'HTTP2' ? 'HTTP2' : 'HTTP11',
    ...(entry.host === undefined ? {} : { request: { authority: entry.host } }),
  };
}

function tcpEntry(entry: AccessLogEntry): PlainMessage {
  return { common_properties: commonProperties(entry, TCP_TYPES[entry.phase]) };
}

const isHttpEntry = (entry: AccessLogEntry): boolean => entry.protocol === 'HTTP1' || entry.protocol === 'HTTP2';

/** The first message of a stream: Envoy sends the identifier once, and so do we. */
export function encodeIdentifier(nodeId: string): Uint8Array {
  return encode(MESSAGE, { identifier: { node: { id: nodeId }, log_name: EGRESS_LOG_NAME } });
}

/** One or two messages that carry the entries: a message holds HTTP or TCP entries, never both. */
export function encodeAccessLogs(entries: readonly AccessLogEntry[]): Uint8Array[] {
  const http = entries.filter(isHttpEntry).map(httpEntry);
  const tcp = entries.filter((entry) => !isHttpEntry(entry)).map(tcpEntry);
  const messages: Uint8Array[] = [];
  if (http.length > 0) messages.push(encode(MESSAGE, { http_logs: { log_entry: http } }));
  if (tcp.length > 0) messages.push(encode(MESSAGE, { tcp_logs: { log_entry: tcp } }));
  return messages;
}

/**
 * A message that tells how many connections of each source were refused: entries without a destination, as there is none
 * to be told. Their count is a tag of its own.
 */
export function encodeRefusals(connections: ReadonlyMap<string, number>): Uint8Array {
  const log_entry = [...connections].map(([address, count]) => ({
    common_properties: {
      downstream_remote_address: socketAddress({ address, port: 0 }),
      custom_tags: { [REFUSALS_TAG]: String(count) },
    },
  }));
  return encode(MESSAGE, { tcp_logs: { log_entry } });
}

/** What one message of a stream says. */
export interface DecodedAccessLogs {
  /** Node id, in the first message of a stream. */
  readonly nodeId?: string;
  readonly logName?: string;
  readonly entries: readonly AccessLogEntry[];
  /** Connections that the egress has refused by source address, where the message tells that. */
  readonly refusals?: ReadonlyMap<string, number>;
  /** Entries that were skipped. */
  readonly problems: readonly Problem[];
}

interface DecodedMessage {
  readonly identifier?: { readonly node?: { readonly id: string }; readonly log_name: string };
  readonly http_logs?: { readonly log_entry: readonly DecodedEntry[] };
  readonly tcp_logs?: { readonly log_entry: readonly DecodedEntry[] };
}

interface DecodedAddress {
  readonly socket_address?: { readonly address: string; readonly port_value: number };
}

interface DecodedEntry {
  readonly common_properties?: {
    readonly downstream_remote_address?: DecodedAddress;
    readonly downstream_local_address?: DecodedAddress;
    readonly start_time?: { readonly seconds: number; readonly nanos: number };
    readonly access_log_type: string;
    readonly response_flags?: { readonly upstream_connection_failure: boolean };
    readonly tls_properties?: { readonly tls_sni_hostname: string };
    readonly custom_tags: Readonly<Record<string, string>>;
  };
  readonly protocol_version?: string;
  readonly request?: { readonly authority: string };
}

/**
 * Reads one message.
 * @param reporter node id of the stream, used where this message has no identifier
 * @throws RangeError if the bytes are no `StreamAccessLogsMessage`
 */
export function decodeAccessLogs(bytes: Uint8Array, reporter: string): DecodedAccessLogs {
  const message = decode(MESSAGE, bytes) as DecodedMessage;
  const nodeId = message.identifier?.node?.id;
  const entries: AccessLogEntry[] = [];
  const problems: Problem[] = [];
  const refusals = new Map<string, number>();
  const read = (raw: DecodedEntry, http: boolean): void => {
    const refused = readCount(raw.common_properties?.custom_tags[REFUSALS_TAG]);
    if (refused > 0) {
      const source = readAddress(raw.common_properties?.downstream_remote_address)?.address ?? '';
      refusals.set(source, (refusals.get(source) ?? 0) + refused);
      return;
    }
    const entry = readEntry(raw, nodeId ?? reporter, http);
    if (typeof entry === 'string')
      problems.push({ subject: `access log entry of ${nodeId ?? reporter}`, reason: entry });
    else entries.push(entry);
  };
  for (const raw of message.http_logs?.log_entry ?? []) read(raw, true);
  for (const raw of message.tcp_logs?.log_entry ?? []) read(raw, false);
  return {
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(message.identifier ? { logName: message.identifier.log_name } : {}),
    entries,
    ...(refusals.size > 0 ? { refusals } : {}),
    problems,
  };
}

function readAddress(address: DecodedAddress | undefined): SocketAddress | undefined {
  const socket = address?.socket_address;
  return socket && socket.address !== '' ? { address: socket.address, port: socket.port_value } : undefined;
}

function wireProtocol(raw: DecodedEntry, http: boolean): WireProtocol {
  if (http) return raw.protocol_version === 'HTTP2' ? 'HTTP2' : 'HTTP1';
  return raw.common_properties?.tls_properties ? 'TLS' : 'TCP';
}

function readCounters(tags: Readonly<Record<string, string>>): TrafficCounters {
  return {
    connections: readCount(tags['connections']),
    requests: readCount(tags['requests']),
    bytesSent: readCount(tags['bytesSent']),
    bytesReceived: readCount(tags['bytesReceived']),
    errors: readCount(tags['errors']),
  };
}

/** What is no count is zero. */
function readCount(tag: string | undefined): number {
  const value = Number(tag ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** 0001-01-01 to 9999-12-31: what `google.protobuf.Timestamp` may hold. Later ones are no dates to JavaScript either. */
function isTimestamp({ seconds }: { readonly seconds: number }): boolean {
  return seconds >= -62_135_596_800 && seconds <= 253_402_300_799;
}

function readEntry(raw: DecodedEntry, reporter: string, http: boolean): AccessLogEntry | string {
  const common = raw.common_properties;
  const source = readAddress(common?.downstream_remote_address);
  const destination = readAddress(common?.downstream_local_address);
  const phase = PHASES[common?.access_log_type ?? ''];
  if (!common || !source || !destination)
    return 'skipped: downstream_remote_address or downstream_local_address is missing';
  if (!phase) return `skipped: access_log_type ${common.access_log_type} is not one we read`;
  if (!common.start_time) return 'skipped: start_time is missing';
  if (!isTimestamp(common.start_time)) return 'skipped: start_time is not between the years 1 and 9999';
  const host = raw.request?.authority;
  const serverName = common.tls_properties?.tls_sni_hostname;
  return {
    phase,
    reporter,
    startTime: common.start_time.seconds * 1000 + Math.floor(common.start_time.nanos / 1_000_000),
    source,
    destination,
    protocol: wireProtocol(raw, http),
    ...(host ? { host } : {}),
    ...(serverName ? { serverName } : {}),
    answered: !common.response_flags?.upstream_connection_failure,
    counters: readCounters(common.custom_tags),
  };
}
