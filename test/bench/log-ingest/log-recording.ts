/**
 * A stream of access logs as an Envoy sends it for HTTP requests: 40 entries in a message, as many as its buffer of 16 KB
 * holds, and in nine of ten of them an edge that was in the stream before.
 */
import { EGRESS_LOG_NAME } from '../../../controller/wire/access-log.ts';
import { encode, type PlainMessage } from '../../../controller/wire/messages.ts';
import { EdgeSet, type SeenEdge } from './edge-set.ts';

const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
const ENTRIES_PER_MESSAGE = 40;
const ONE_IN = 10;
const SERVICES = 1_000;
const SERVICES_PER_POD = 5;
const NODE_ID = 'egress~10.0.255.255~egress-0.lazyscope~lazyscope.svc.cluster.local';

export interface LogRecording {
  /** In order; the first names the sender. */
  readonly messages: readonly Uint8Array[];
  readonly entries: number;
  /** What every receiver is to make of it. */
  readonly edges: EdgeSet;
}

/** @param entries a multiple of the entries of a message */
export function recordLogs(entries: number): LogRecording {
  const edges = new EdgeSet();
  const messages = [encode(MESSAGE, { identifier: { node: { id: NODE_ID }, log_name: EGRESS_LOG_NAME } })];
  for (let first = 0; first < entries; first += ENTRIES_PER_MESSAGE) {
    const log_entry = Array.from({ length: ENTRIES_PER_MESSAGE }, (_, more) => {
      const edge = edgeOf(edgeNumber(first + more));
      edges.add(edge);
      return httpEntry(edge, first + more);
    });
    messages.push(encode(MESSAGE, { http_logs: { log_entry } }));
  }
  return { messages, entries, edges };
}

/** Each message behind its length in 4 bytes, most significant first. */
export function framed(messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    }),
  );
}

/** Every tenth is new; the others are spread over those before (Knuth's multiplicative hash). */
function edgeNumber(entry: number): number {
  const newest = Math.floor(entry / ONE_IN);
  return entry % ONE_IN === 0 ? newest : (Math.imul(entry, 2_654_435_761) >>> 0) % (newest + 1);
}

/** Pods that use five services each. */
function edgeOf(index: number): SeenEdge {
  const pod = Math.floor(index / SERVICES_PER_POD);
  const service = (index * 7) % SERVICES;
  return {
    source: `10.0.${pod >> 8}.${pod & 255}`,
    destination: `10.96.${service >> 8}.${service & 255}`,
    port: 8_080,
    host: `service-${service}.shop.svc.cluster.local:8080`,
    protocol: service % 4 === 0 ? 'HTTP2' : 'HTTP1',
  };
}

function httpEntry({ source, destination, port, host, protocol }: SeenEdge, index: number): PlainMessage {
  const socketAddress = (address: string, port_value: number): PlainMessage => ({
    socket_address: { address, port_value },
  });
  return {
    common_properties: {
      downstream_remote_address: socketAddress(source, 32_768 + (index % 28_000)),
      downstream_local_address: socketAddress(destination, port),
      start_time: { seconds: 1_800_000_000 + Math.floor(index / 1_000), nanos: (index % 1_000) * 1_000_000 },
      time_to_last_rx_byte: { nanos: 31_000 },
      time_to_first_upstream_tx_byte: { nanos: 212_000 },
      time_to_last_downstream_tx_byte: { nanos: 1_874_000 },
      upstream_remote_address: socketAddress(`10.100.${index & 127}.7`, port),
      upstream_cluster: `outbound|${port}||${host.split(':')[0]}`,
      access_log_type: 'DownstreamEnd',
    },
    protocol_version: protocol === 'HTTP2' ? 'HTTP2' : 'HTTP11',
    request: {
      request_method: 'GET',
      scheme: 'http',
      authority: host,
      path: `/api/v1/items/${index % 10_000}`,
      user_agent: 'Go-http-client/1.1',
      request_id: `3f2b8c1e-7d4a-4c55-9a0e-${String(index).padStart(12, '0')}`,
    },
    response: { response_code: 200, response_body_bytes: 1_532, response_code_details: 'via_upstream' },
  };
}
