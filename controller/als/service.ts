/** Envoy's access log service (`envoy.service.accesslog.v3`), as far as egresses use it. */
import {
  type ServerReadableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { AccessLogSink, Problem } from '../core/ports.ts';
import { decodeAccessLogs, EGRESS_LOG_NAME } from '../wire/access-log.ts';

export interface AccessLogServiceOptions {
  readonly sink: AccessLogSink;
  readonly problem: (problem: Problem) => void;
  readonly now: () => number;
  /** Tells why a call is refused, or nothing. Default: none is. */
  readonly authorize?: (call: AccessLogCall) => string | undefined;
}

type AccessLogCall = ServerReadableStream<Buffer, object>;

/** Counted since start. */
export interface AccessLogCounts {
  streams: number;
  messages: number;
  invalid: number;
  /** Streams that were refused for who opened them. */
  refused: number;
}

export interface AccessLogService {
  /** To add to a gRPC server with `AccessLogService` of `controller/wire/grpc.ts`. */
  readonly handlers: UntypedServiceImplementation;
  readonly counts: AccessLogCounts;
  /** Ends every stream; egresses reconnect and announce what is live again. */
  close(): void;
}

/**
 * A failure never ends a stream: a message or entry that cannot be read is named, counted and skipped. A stream that does
 * not name an egress in its first message is not listened to, since only the egress knows original destinations.
 */
export function createAccessLogService(options: AccessLogServiceOptions): AccessLogService {
  const counts: AccessLogCounts = { streams: 0, messages: 0, invalid: 0, refused: 0 };
  const open = new Set<() => void>();
  const handle = (call: AccessLogCall, done: sendUnaryData<object>): void => {
    const refusal = options.authorize?.(call);
    if (refusal !== undefined) {
      counts.refused += 1;
      options.problem({ subject: `access log stream from ${call.getPeer()}`, reason: `refused: ${refusal}` });
      done({ code: status.PERMISSION_DENIED, details: refusal });
      return;
    }
    const stream = new AccessLogStream(options, counts);
    counts.streams += 1;
    call.on('data', (bytes: Buffer) => stream.message(bytes, call.getPeer()));
    const finish = once(() => {
      counts.streams -= 1;
      open.delete(finish);
      done(null, {});
    });
    open.add(finish);
    for (const event of ['error', 'close', 'end']) call.on(event, finish);
  };
  const close = (): void => {
    for (const finish of open) finish();
  };
  return { handlers: { StreamAccessLogs: handle }, counts, close };
}

/** One stream: its identifier comes in its first message only. */
class AccessLogStream {
  readonly #options: AccessLogServiceOptions;
  readonly #counts: AccessLogCounts;
  #reporter: string | undefined;
  #isRefused = false;

  constructor(options: AccessLogServiceOptions, counts: AccessLogCounts) {
    this.#options = options;
    this.#counts = counts;
  }

  message(bytes: Buffer, peer: string): void {
    if (this.#isRefused) return;
    this.#counts.messages += 1;
    try {
      const { nodeId, logName, entries, refusals, problems } = decodeAccessLogs(bytes, this.#reporter ?? '');
      this.#reporter ??= nodeId;
      if (this.#reporter === undefined || (logName !== undefined && logName !== EGRESS_LOG_NAME)) {
        this.#refuse(peer, `its first message must name an egress node and the log "${EGRESS_LOG_NAME}"`);
        return;
      }
      for (const problem of problems) this.#skip(problem);
      const { sink, now } = this.#options;
      sink.accessLogs(entries, now());
      if (refusals !== undefined) sink.egressRefused(this.#reporter, refusals, now());
    } catch (error) {
      this.#skip({ subject: `access log stream of ${this.#reporter ?? peer}`, reason: `unreadable message: ${error}` });
    }
  }

  #refuse(peer: string, reason: string): void {
    this.#isRefused = true;
    this.#skip({ subject: `access log stream from ${peer}`, reason: `ignored: ${reason}` });
  }

  #skip(problem: Problem): void {
    this.#counts.invalid += 1;
    this.#options.problem(problem);
  }
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}
