/** A flood of access logs about the large mesh: encoded once, then sent over one stream as fast as it is taken. */
import { once } from 'node:events';
import { Client, type ClientWritableStream, credentials, Metadata } from '@grpc/grpc-js';
import type { AccessLogEntry, SocketAddress } from '../../../controller/core/model.ts';
import { encodeAccessLogs, encodeIdentifier } from '../../../controller/wire/access-log.ts';
import { AccessLogService } from '../../../controller/wire/grpc.ts';
import { encode } from '../../../controller/wire/messages.ts';
import { largeService, podAddress, SERVICES_PER_WORKLOAD, servicesOf, WORKLOADS } from './large-mesh.ts';

/** How many different entries there are of each sort. */
export const DIFFERENT = {
  /** A workload uses a service: all of its services but the last. */
  edges: WORKLOADS * (SERVICES_PER_WORKLOAD - 1),
  /** A workload dials an address that no service has. */
  addresses: 21_000,
  /** One workload dials very many of them. */
  scan: 10_000,
  /** Nobody answered. */
  unanswered: 8_000,
  /** From a source that no pod has. */
  unknown: 12_000,
} as const;

/** All sorts together. */
export const ALL_DIFFERENT = Object.values(DIFFERENT).reduce((sum, count) => sum + count, 0);

/** Whose scan it is. */
const SCANNER = 7;
/** Of an egress, and of an Envoy by default within a second. */
const ENTRIES_PER_MESSAGE = 250;
const COUNTERS = { connections: 1, requests: 1, bytesSent: 200, bytesReceived: 2_000, errors: 0 };

let messages: Buffer[] = [];

function outside(number: number): SocketAddress {
  return { address: `198.18.${(number >> 8) & 255}.${number & 255}`, port: 443 };
}

function entryFrom(source: string, destination: SocketAddress): AccessLogEntry {
  return {
    phase: 'Start',
    reporter: '',
    startTime: Date.now(),
    source: { address: source, port: 40_000 },
    destination,
    protocol: 'TCP',
    answered: true,
    counters: COUNTERS,
  };
}

function edge(number: number): AccessLogEntry {
  const workload = number % WORKLOADS;
  const { address, port, host, isHttp } = largeService(servicesOf(workload)[Math.floor(number / WORKLOADS)] ?? 0);
  const entry = entryFrom(podAddress(workload), { address, port });
  return isHttp ? { ...entry, protocol: 'HTTP1', host: `${host}:${port}` } : entry;
}

const SORTS: Readonly<Record<keyof typeof DIFFERENT, (number: number) => AccessLogEntry>> = {
  edges: edge,
  addresses: (number) => entryFrom(podAddress(number % WORKLOADS), outside(Math.floor(number / WORKLOADS))),
  scan: (number) => entryFrom(podAddress(SCANNER), { ...outside(number), port: 1_000 + (number % 60_000) }),
  unanswered: (number) => ({ ...entryFrom(podAddress(number % WORKLOADS), outside(number)), answered: false }),
  unknown: (number) => entryFrom(`172.16.${(number >> 8) & 255}.${number & 255}`, outside(0)),
};

/** The same entries as an Envoy's own access logger writes them: with everything that it knows. */
function asEnvoyWrites(entries: readonly AccessLogEntry[]): Uint8Array {
  const socketAddress = ({ address, port }: SocketAddress): object => ({ address, port_value: port });
  const common = ({ source, destination, startTime, answered }: AccessLogEntry): object => ({
    sample_rate: 1,
    downstream_remote_address: { socket_address: socketAddress(source) },
    downstream_local_address: { socket_address: socketAddress(destination) },
    downstream_direct_remote_address: { socket_address: socketAddress(source) },
    start_time: { seconds: Math.floor(startTime / 1_000), nanos: 0 },
    time_to_last_rx_byte: { seconds: 0, nanos: 30_000 },
    time_to_last_downstream_tx_byte: { seconds: 0, nanos: 900_000 },
    upstream_remote_address: { socket_address: socketAddress(destination) },
    upstream_local_address: { socket_address: { address: '10.0.0.1', port_value: 41_000 } },
    upstream_cluster: `outbound|${destination.port}||some.where.svc.cluster.local`,
    route_name: 'default',
    access_log_type: 'DownstreamEnd',
    ...(answered ? {} : { response_flags: { upstream_connection_failure: true } }),
  });
  const log_entry = entries.map((entry) => ({
    common_properties: common(entry),
    protocol_version: 'HTTP11',
    request: {
      authority: entry.host ?? '',
      request_method: 'GET',
      scheme: 'http',
      path: '/some/path',
      user_agent: 'load/1.0',
      request_id: '0b2f7d7e-6f0e-9a7d-8d5f-0a0c1a2b3c4d',
    },
    response: { response_code: 200, response_headers_bytes: 120, response_body_bytes: 1_800 },
  }));
  return encode('envoy.service.accesslog.v3.StreamAccessLogsMessage', { http_logs: { log_entry } });
}

const isHttp = ({ protocol }: AccessLogEntry): boolean => protocol === 'HTTP1';

function encoded(entries: readonly AccessLogEntry[], inEnvoysWay: boolean): Uint8Array[] {
  if (!inEnvoysWay) return encodeAccessLogs(entries);
  return [asEnvoyWrites(entries.filter(isHttp)), ...encodeAccessLogs(entries.filter((entry) => !isHttp(entry)))];
}

/** Encodes every different entry once, half of the HTTP ones as an Envoy would. */
export function prepare(): void {
  const entries = Object.entries(DIFFERENT).flatMap(([sort, count]) =>
    Array.from({ length: count }, (_, number) => SORTS[sort as keyof typeof DIFFERENT](number)),
  );
  // All sorts in every message, always in the same order.
  const stride = 7_919;
  const mixed = entries.map((_, at) => entries[(at * stride) % entries.length] as AccessLogEntry);
  messages = [];
  for (let from = 0; from < mixed.length; from += ENTRIES_PER_MESSAGE) {
    const batch = mixed.slice(from, from + ENTRIES_PER_MESSAGE);
    messages.push(...encoded(batch, (from / ENTRIES_PER_MESSAGE) % 2 === 1).map((bytes) => Buffer.from(bytes)));
  }
}

/** Sends every different entry so many times. @returns seconds that it took */
export async function flood(target: string, times: number): Promise<number> {
  const startedAt = performance.now();
  await send(target, async (write) => {
    for (let time = 0; time < times; time += 1) for (const message of messages) await write(message);
  });
  return (performance.now() - startedAt) / 1_000;
}

/** Every workload uses its last service, too. */
export async function useLastServices(target: string): Promise<void> {
  const entries = Array.from({ length: WORKLOADS }, (_, workload) => edge(DIFFERENT.edges + workload));
  await send(target, async (write) => {
    for (const message of encodeAccessLogs(entries)) await write(Buffer.from(message));
  });
}

/** Over a stream of its own, until the controller has taken all of it. */
async function send(target: string, writeAll: (write: (message: Buffer) => Promise<void>) => Promise<void>) {
  const client = new Client(target, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = AccessLogService.StreamAccessLogs;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    new Metadata(),
    (error) => (error ? reject(error) : resolve()),
  );
  call.write(Buffer.from(encodeIdentifier('egress~10.199.0.1~egress-0.lazyscope~lazyscope.svc.cluster.local')));
  await writeAll(async (message) => {
    if (!call.write(message)) await once(call, 'drain');
  });
  call.end();
  await promise;
  client.close();
}
