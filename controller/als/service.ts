/** Envoy's access log service (`envoy.service.accesslog.v3`), as far as egresses use it. */
import {
  type ServerReadableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { parseNodeId } from '../core/node-identity.ts';
import type { AccessLogSink, Problem } from '../core/ports.ts';
import { EGRESS_LOG_NAME } from '../wire/access-log.ts';
import { type DecodedAccessLogs, decodeAccessLogs } from '../wire/access-log-decoder.ts';

/**
 * An egress sends 250 entries of a few hundred bytes at a time, Envoy 16 KiB. What is larger would hold up everything
 * else while it is read.
 */
export const LARGEST_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Each egress opens one. */
const MAX_STREAMS = 1_000;

export interface AccessLogServiceOptions {
  readonly sink: AccessLogSink;
  readonly problem: (problem: Problem) => void;
  readonly now: () => number;
  /** Tells why a call is refused, or nothing. Default: none is. */
  readonly authorize?: (call: AccessLogCall) => string | undefined;
  /** Streams that may be open at a time; default 1,000. Those beyond are refused with RESOURCE_EXHAUSTED. */
  readonly maxStreams?: number;
}

type AccessLogCall = ServerReadableStream<Buffer, object>;

/** Counted since start, but for `streams`. */
export interface AccessLogCounts {
  /** Open now. */
  streams: number;
  /** Messages that were read. */
  messages: number;
  /** Messages that are no messages of this service. */
  unreadable: number;
  /** Messages larger than {@link LARGEST_MESSAGE_BYTES}. */
  oversized: number;
  /** Entries that were skipped. */
  invalid: number;
  /** Streams that were refused: too many, for who opened them, or as they did not say who. */
  refused: number;
  /** Streams that ended otherwise than by their sender's wish or ours. */
  broken: number;
}

export interface AccessLogService {
  /** To add to a gRPC server with `AccessLogService` of `controller/wire/grpc.ts`. */
  readonly handlers: UntypedServiceImplementation;
  readonly counts: AccessLogCounts;
  /** Ends every stream; egresses reconnect and announce what is live again. */
  close(): void;
}

/** Why a stream is not taken. */
interface Refusal {
  readonly code: status;
  readonly reason: string;
}

/**
 * A message or entry that cannot be read is named, counted and skipped; its stream goes on. A stream that does not begin
 * with a node id that can be read is ended with INVALID_ARGUMENT: an egress connects again and says it anew. One that
 * begins with the id of no egress, or another log, is left open and not listened to, since only the egress knows original
 * destinations, and an Envoy whose stream is ended opens the next one with its next entry.
 */
export function createAccessLogService(options: AccessLogServiceOptions): AccessLogService {
  const counts = { streams: 0, messages: 0, unreadable: 0, oversized: 0, invalid: 0, refused: 0, broken: 0 };
  const open = new Set<() => void>();
  const handle = (call: AccessLogCall, done: sendUnaryData<object>): void => {
    const refusal = refusalOf(call, counts.streams, options);
    if (refusal) {
      counts.refused += 1;
      options.problem({ subject: subjectOf(call), reason: `refused: ${refusal.reason}` });
      done({ code: refusal.code, details: refusal.reason });
      return;
    }
    const stream = new AccessLogStream(options, counts, subjectOf(call));
    counts.streams += 1;
    const finish = once((refusal?: Refusal) => {
      counts.streams -= 1;
      open.delete(end);
      if (refusal) done({ code: refusal.code, details: refusal.reason });
      else done(null, {});
    });
    const end = (): void => finish();
    open.add(end);
    call.on('data', (bytes: Buffer) => {
      const refusal = stream.message(bytes);
      if (refusal) finish(refusal);
    });
    call.on('cancelled', () => {
      if (open.has(end)) stream.brokeOff();
    });
    for (const event of ['cancelled', 'error', 'close', 'end']) call.on(event, end);
  };
  const close = (): void => {
    for (const end of open) end();
  };
  return { handlers: { StreamAccessLogs: handle }, counts, close };
}

function refusalOf(
  call: AccessLogCall,
  streams: number,
  { authorize, maxStreams = MAX_STREAMS }: AccessLogServiceOptions,
): Refusal | undefined {
  const unauthorized = authorize?.(call);
  if (unauthorized !== undefined) return { code: status.PERMISSION_DENIED, reason: unauthorized };
  if (streams < maxStreams) return undefined;
  return { code: status.RESOURCE_EXHAUSTED, reason: `${maxStreams} access log streams are open already` };
}

function subjectOf(call: AccessLogCall): string {
  return `access log stream from ${call.getPeer()}`;
}

/** One stream: its identifier comes in its first message only. */
class AccessLogStream {
  readonly #options: AccessLogServiceOptions;
  readonly #counts: AccessLogCounts;
  #subject: string;
  /** Node id. */
  #reporter: string | undefined;
  #isIgnored = false;

  constructor(options: AccessLogServiceOptions, counts: AccessLogCounts, subject: string) {
    this.#options = options;
    this.#counts = counts;
    this.#subject = subject;
  }

  /** @returns why the stream must end, if it must */
  message(bytes: Buffer): Refusal | undefined {
    if (this.#isIgnored) return undefined;
    if (bytes.length > LARGEST_MESSAGE_BYTES) {
      this.#counts.oversized += 1;
      this.#problem(`skipped a message of ${bytes.length} bytes: more than ${LARGEST_MESSAGE_BYTES} are not read`);
      return undefined;
    }
    const decoded = decodeAccessLogs(bytes, this.#reporter ?? '');
    if (decoded.unreadable !== undefined) {
      this.#counts.unreadable += 1;
      this.#problem(`skipped a message that cannot be read: ${decoded.unreadable}`);
      return this.#reporter === undefined ? this.#refuse('its first message cannot be read') : undefined;
    }
    if (this.#reporter === undefined) {
      const refusal = this.#identify(decoded);
      if (refusal !== undefined || this.#isIgnored) return refusal;
    }
    this.#counts.messages += 1;
    this.#take(decoded);
    return undefined;
  }

  /** gRPC does not tell why. */
  brokeOff(): void {
    this.#counts.broken += 1;
    this.#problem('broke off: its connection was lost, it was cancelled, or a message was larger than gRPC takes');
  }

  #identify({ nodeId, logName }: DecodedAccessLogs): Refusal | undefined {
    if (nodeId === undefined) return this.#refuse('its first message names no node');
    const parsed = parseNodeId(nodeId);
    if ('field' in parsed) return this.#refuse(parsed.reason);
    this.#subject = `access log stream of ${nodeId}`;
    if (parsed.node.kind === 'egress' && logName === EGRESS_LOG_NAME) {
      this.#reporter = nodeId;
      return undefined;
    }
    this.#isIgnored = true;
    this.#counts.refused += 1;
    this.#problem(`ignored: its first message must name an egress node and the log "${EGRESS_LOG_NAME}"`);
    return undefined;
  }

  #take({ entries, refusals, skipped, problems }: DecodedAccessLogs): void {
    const { sink, now, problem } = this.#options;
    this.#counts.invalid += skipped;
    for (const found of problems) problem(found);
    if (entries.length > 0) sink.accessLogs(entries, now());
    if (refusals !== undefined) sink.egressRefused(this.#reporter ?? '', refusals, now());
  }

  #refuse(reason: string): Refusal {
    this.#isIgnored = true;
    this.#counts.refused += 1;
    this.#problem(`refused: ${reason}`);
    return { code: status.INVALID_ARGUMENT, reason };
  }

  #problem(reason: string): void {
    this.#options.problem({ subject: this.#subject, reason });
  }
}

function once<T extends readonly unknown[]>(action: (...given: T) => void): (...given: T) => void {
  let isDone = false;
  return (...given) => {
    if (isDone) return;
    isDone = true;
    action(...given);
  };
}
