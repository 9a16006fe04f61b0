/**
 * Reads access log messages slowly, by protobufjs and Envoy's own `.proto` files. It knows the same fields as the product
 * and takes all others for unknown ones: what is in a field that is skipped is not looked at by either.
 */
import protobuf, { type Field, type Type } from 'protobufjs';
import type { AccessLogEntry, SocketAddress } from '../../../../controller/core/model.ts';
import type { DecodedAccessLogs } from '../../../../controller/wire/access-log-decoder.ts';
import { canonicalAddress } from '../../../../controller/wire/kubernetes/address.ts';
import { messageType } from '../../../../controller/wire/messages.ts';

const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
const DATA = 'envoy.data.accesslog.v3';
const CORE = 'envoy.config.core.v3';

/** What is read of each message. A message that is not listed is bytes, so one bad entry is nothing to the others. */
const READ: Readonly<Record<string, readonly string[]>> = {
  [MESSAGE]: ['identifier', 'http_logs', 'tcp_logs'],
  [`${MESSAGE}.Identifier`]: ['node', 'log_name'],
  [`${CORE}.Node`]: ['id'],
  [`${MESSAGE}.HTTPAccessLogEntries`]: ['log_entry'],
  [`${MESSAGE}.TCPAccessLogEntries`]: ['log_entry'],
};
const READ_OF_ENTRIES: Readonly<Record<string, readonly string[]>> = {
  [`${DATA}.HTTPAccessLogEntry`]: ['common_properties', 'protocol_version', 'request'],
  [`${DATA}.TCPAccessLogEntry`]: ['common_properties'],
  [`${DATA}.HTTPRequestProperties`]: ['authority'],
  [`${DATA}.AccessLogCommon`]: [
    'downstream_remote_address',
    'downstream_local_address',
    'tls_properties',
    'start_time',
    'response_flags',
    'custom_tags',
    'access_log_type',
  ],
  [`${CORE}.Address`]: ['socket_address', 'pipe', 'envoy_internal_address'],
  [`${CORE}.SocketAddress`]: ['address', 'port_value', 'named_port'],
  [`${DATA}.TLSProperties`]: ['tls_sni_hostname'],
  [`${DATA}.ResponseFlags`]: ['upstream_connection_failure'],
  'google.protobuf.Timestamp': ['seconds', 'nanos'],
};

type Types = (name: string) => Type;

/** Envoy's messages with some of their fields. */
function pruned(read: Readonly<Record<string, readonly string[]>>, { hasOneofs = true } = {}): Types {
  const flat = (name: string): string => name.replaceAll('.', '_');
  const typeOf = ({ type, resolvedType, partOf }: Field): string => {
    if (resolvedType instanceof protobuf.Enum) return 'int32';
    // A named port: that it is there counts, not what it says.
    if (partOf && type === 'string') return 'bytes';
    const name = resolvedType?.fullName.slice(1);
    return name === undefined ? type : name in read ? flat(name) : 'bytes';
  };
  const field = (found: Field): object => ({
    id: found.id,
    type: typeOf(found),
    ...(found.repeated ? { rule: 'repeated' } : {}),
    ...(found instanceof protobuf.MapField ? { keyType: found.keyType } : {}),
  });
  const message = (name: string, names: readonly string[]): object => {
    const fields = names.map((fieldName) => messageType(name).fields[fieldName]?.resolve() as Field);
    const oneofs: Record<string, { oneof: string[] }> = {};
    for (const { name: member, partOf } of fields) {
      if (partOf && hasOneofs) oneofs[partOf.name] = { oneof: [...(oneofs[partOf.name]?.oneof ?? []), member] };
    }
    return { edition: 'proto3', oneofs, fields: Object.fromEntries(fields.map((found) => [found.name, field(found)])) };
  };
  const nested = Object.fromEntries(Object.entries(read).map(([name, names]) => [flat(name), message(name, names)]));
  const root = protobuf.Root.fromJSON({ nested } as protobuf.INamespace);
  root.resolveAll();
  return (name) => root.lookupType(flat(name));
}

const outer = pruned(READ);
/** Where members of a `oneof` stand beside each other. */
const outerWithAll = pruned(READ, { hasOneofs: false });
const inner = pruned(READ_OF_ENTRIES);

/** protobufjs takes varints of any length in fields that it skips; they have 10 bytes at most. */
export class SpecificationReader extends protobuf.Reader {
  override skip(length?: number): this {
    if (length !== undefined) return super.skip(length) as this;
    this.bool();
    return this;
  }
}

function decoded(type: Type, bytes: Buffer): object | undefined {
  try {
    return type.decode(new SpecificationReader(bytes));
  } catch {
    return undefined;
  }
}

interface Logs {
  readonly log_entry: readonly Buffer[];
}

interface Message {
  readonly identifier?: { readonly node?: { readonly id: string } | null; readonly log_name: string } | null;
  readonly http_logs?: Logs | null;
  readonly tcp_logs?: Logs | null;
  /** Which of the two holds. */
  readonly log_entries?: 'http_logs' | 'tcp_logs';
}

interface Address {
  readonly address?: 'socket_address' | 'pipe' | 'envoy_internal_address';
  readonly socket_address?: {
    readonly address: string;
    readonly port_specifier?: 'port_value' | 'named_port';
    readonly port_value: number;
  } | null;
}

interface Entry {
  readonly common_properties?: {
    readonly downstream_remote_address?: Address | null;
    readonly downstream_local_address?: Address | null;
    readonly tls_properties?: { readonly tls_sni_hostname: string } | null;
    readonly start_time?: { readonly seconds: { toNumber(): number } | number; readonly nanos: number } | null;
    readonly response_flags?: { readonly upstream_connection_failure: boolean } | null;
    readonly custom_tags: Readonly<Record<string, string>>;
    readonly access_log_type: number;
  } | null;
  readonly protocol_version?: number;
  readonly request?: { readonly authority: string } | null;
}

/** Everything but the words of the problems, which are not compared. */
export type Reference = Omit<DecodedAccessLogs, 'problems' | 'unreadable'> & { readonly isReadable: boolean };

export function referenceDecode(bytes: Buffer, reporter: string): Reference {
  const message = decoded(outer(MESSAGE), bytes) as Message | undefined;
  if (message === undefined) return { isReadable: false, entries: [], skipped: 0 };
  const nodeId = message.identifier?.node?.id;
  const kind = message.log_entries;
  const all = decoded(outerWithAll(MESSAGE), bytes) as Message;
  const raw = (kind && message[kind]?.log_entry) ?? [];
  const count = (all.http_logs?.log_entry.length ?? 0) + (all.tcp_logs?.log_entry.length ?? 0);
  const type = inner(`${DATA}.${kind === 'http_logs' ? 'HTTPAccessLogEntry' : 'TCPAccessLogEntry'}`);
  const read = raw.map((entry) => {
    const fields = decoded(type, entry) as Entry | undefined;
    return fields && referenceEntry(fields, nodeId ?? reporter, kind === 'http_logs');
  });
  const refusals = new Map<string, number>();
  for (const entry of read) {
    if (entry && 'refused' in entry) refusals.set(entry.source, (refusals.get(entry.source) ?? 0) + entry.refused);
  }
  const entries = read.filter((entry) => entry !== undefined && 'phase' in entry);
  return {
    isReadable: true,
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(message.identifier ? { logName: message.identifier.log_name } : {}),
    entries,
    ...(refusals.size > 0 ? { refusals } : {}),
    skipped: count - entries.length - read.filter((entry) => entry !== undefined && 'refused' in entry).length,
  };
}

const PHASES: Readonly<Record<number, AccessLogEntry['phase']>> = {
  1: 'Start',
  2: 'Periodic',
  3: 'End',
  4: 'Start',
  5: 'Periodic',
  6: 'End',
  14: 'Start',
};

interface Refused {
  readonly source: string;
  readonly refused: number;
}

/** What an entry says, if it says what is needed. */
function referenceEntry(fields: Entry, reporter: string, isHttp: boolean): AccessLogEntry | Refused | undefined {
  const common = fields.common_properties;
  const source = socketAddress(common?.downstream_remote_address);
  const destination = socketAddress(common?.downstream_local_address);
  const refused = count(common?.custom_tags['refusals']);
  if (refused > 0) return { source: source?.address ?? '', refused };
  const phase = PHASES[common?.access_log_type ?? 0];
  const startTime = time(common?.start_time);
  if (!common || !source || !destination || !phase || startTime === undefined) return undefined;
  if (source.port > 65_535 || destination.port > 65_535 || destination.port === 0) return undefined;
  const host = name(fields.request?.authority);
  const serverName = name(common.tls_properties?.tls_sni_hostname);
  return {
    phase,
    reporter,
    startTime,
    source,
    destination,
    protocol: isHttp ? (fields.protocol_version === 3 ? 'HTTP2' : 'HTTP1') : common.tls_properties ? 'TLS' : 'TCP',
    ...(host === '' ? {} : { host }),
    ...(serverName === '' ? {} : { serverName }),
    answered: common.response_flags?.upstream_connection_failure !== true,
    counters: {
      connections: count(common.custom_tags['connections']),
      requests: count(common.custom_tags['requests']),
      bytesSent: count(common.custom_tags['bytesSent']),
      bytesReceived: count(common.custom_tags['bytesReceived']),
      errors: count(common.custom_tags['errors']),
    },
  };
}

function socketAddress(address: Address | null | undefined): SocketAddress | undefined {
  const socket = address?.address === 'socket_address' ? address.socket_address : undefined;
  const text = canonicalAddress(socket?.address ?? '');
  if (!socket || text === undefined) return undefined;
  return { address: text, port: socket.port_specifier === 'port_value' ? socket.port_value : 0 };
}

function time(time: NonNullable<Entry['common_properties']>['start_time']): number | undefined {
  if (!time) return undefined;
  const seconds = Number(time.seconds);
  const isYear = seconds >= Date.parse('0001-01-01') / 1000 && seconds < Date.parse('+010000-01-01') / 1000;
  return isYear && time.nanos >= 0 && time.nanos < 1e9 ? seconds * 1000 + Math.floor(time.nanos / 1e6) : undefined;
}

function count(tag: string | undefined): number {
  const value = /^[0-9]+$/.test(tag ?? '') ? Number(tag) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}

function name(text: string | undefined): string {
  return text === undefined || text.length <= 259 ? (text ?? '') : `${text.slice(0, 259)}…`;
}
