/**
 * Our access log entries as Envoy's `StreamAccessLogsMessage`: HTTP/1 and HTTP/2 as `http_logs`, the rest as
 * `tcp_logs`. Counters travel as `custom_tags`, since Envoy's own fields count one request or connection.
 */
import type { AccessLogEntry, SocketAddress } from '../core/model.ts';
import { encode, type PlainMessage } from './messages.ts';

const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';

const HTTP_TYPES = { Start: 'DownstreamStart', Periodic: 'DownstreamPeriodic', End: 'DownstreamEnd' } as const;
const TCP_TYPES = { Start: 'TcpConnectionStart', Periodic: 'TcpPeriodic', End: 'TcpConnectionEnd' } as const;

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
