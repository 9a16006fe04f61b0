/** Tells when istiod has pushed what was written, by a proxy of our own that is changed after it. */
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import {
  type ArrivalRounds,
  arrived,
  begin,
  isShown,
  join,
  lost,
  NO_ROUNDS,
  shown,
  wantsMark,
} from '../core/arrival/arrival-rounds.ts';
import { LazyscopeError } from '../core/error.ts';
import type { SocketAddress } from '../core/model.ts';
import type { ArrivalProbe, ManifestWriter } from '../core/publishing.ts';
import { IstiodWatch } from './istiod-watch.ts';
import { nextMark, type ProbeIdentity, probeNode, probeSidecar } from './probe-sidecar.ts';

/** istiods that came since are found, and watched in time, when nobody asks. */
const REFRESH_MS = 10_000;

export interface IstiodProbeOptions extends ProbeIdentity {
  /** xDS addresses of every istiod replica; asked for again and again. A rejection keeps those that are known. */
  readonly istiods: () => Promise<readonly SocketAddress[]>;
  readonly credentials: ChannelCredentials;
  /** The name in istiod's certificate, for example `istiod.istio-system.svc`; without TLS none. */
  readonly serverName?: string;
  readonly writer: Pick<ManifestWriter, 'write'>;
  /** What sidecars are given to apply a push, after every istiod has taken theirs from its queue; default 1 s. */
  readonly settleMs?: number;
  /** How long one mark may take; default 30 s. istiod holds configuration back for up to 10 s. */
  readonly timeoutMs?: number;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn'>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: LazyscopeError) => void;
}

/**
 * Istio mode's {@link ArrivalProbe}. Every confirmation takes two changes of the Sidecar `lazyscope-probe`, one after the
 * other (see `arrival-rounds.ts`); calls that come while one is in flight share the next ones. Without calls it writes
 * nothing. It speaks for what was written to Sidecars: istiod hears of each kind on a watch of its own, so that only
 * changes of the same kind keep their order.
 */
export class IstiodProbe implements ArrivalProbe {
  readonly #options: IstiodProbeOptions;
  readonly #watch: IstiodWatch;
  #rounds: ArrivalRounds<Waiter> = NO_ROUNDS;
  #lastMark: number | undefined;
  /** Ends the mark in flight. */
  #inFlight: PromiseWithResolvers<void> | undefined;
  #isRunning = false;
  #isStopped = false;
  #refreshTimer: NodeJS.Timeout | undefined;
  readonly #settling = new Set<{ readonly timer: NodeJS.Timeout; readonly waiters: readonly Waiter[] }>();

  constructor(options: IstiodProbeOptions) {
    const { istiods, credentials, serverName, logger } = options;
    this.#options = options;
    this.#watch = new IstiodWatch({
      istiods,
      credentials,
      ...(serverName === undefined ? {} : { serverName }),
      node: probeNode(options),
      onMark: (istiod, mark) => this.#shown(istiod, mark),
      onDown: (istiod, reason) => {
        logger.info({ istiod, reason }, 'the probe has no stream to this istiod');
        if (this.#rounds.inFlight?.awaited.has(istiod)) this.#inFlight?.reject(unavailable(istiod, reason));
      },
    });
  }

  /** Resolves when each istiod has answered or failed once; rejects never. */
  async start(): Promise<void> {
    await this.#refresh();
  }

  /** @throws LazyscopeError `Unavailable` naming the istiod, or the writer's own that names the Sidecar */
  confirm(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#isStopped) reject(stopped());
    else {
      this.#rounds = join(this.#rounds, { resolve, reject });
      void this.#run();
    }
    return promise;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#refreshTimer);
    this.#inFlight?.reject(stopped());
    this.#watch.stop();
    for (const { timer, waiters } of this.#settling) {
      clearTimeout(timer);
      for (const { reject } of waiters) reject(stopped());
    }
    this.#settling.clear();
  }

  async #refresh(): Promise<void> {
    await this.#watch.refresh().catch((error: LazyscopeError) => this.#options.logger.warn(error.message));
    if (this.#isStopped) return;
    this.#refreshTimer = setTimeout(() => void this.#refresh(), REFRESH_MS);
  }

  /** One mark after the other, until nobody waits. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (wantsMark(this.#rounds)) {
      try {
        await this.#mark();
        const { rounds, released } = arrived(this.#rounds);
        this.#rounds = rounds;
        this.#settle(released);
      } catch (error) {
        this.#fail(LazyscopeError.from('Unavailable', 'the probe', error));
      }
    }
    this.#isRunning = false;
  }

  /** Writes a mark and waits until every istiod has shown it. */
  async #mark(): Promise<void> {
    const { namespace, writer, timeoutMs = 30_000, logger } = this.#options;
    const unfound = await this.#watch.refresh().catch((error: LazyscopeError) => error);
    const { streams } = this.#watch;
    const down = streams.find(({ isOpen }) => !isOpen);
    const mark = nextMark(this.#lastMark, new Set(streams.flatMap((stream) => stream.mark ?? [])));
    // Also when it cannot be written: whoever waits has then missed it.
    this.#rounds = begin(
      this.#rounds,
      mark,
      streams.map(({ name }) => name),
    );
    if (this.#isStopped) throw stopped();
    if (streams.length === 0) throw unfound ?? new LazyscopeError('Unavailable', 'the probe knows no istiod');
    if (down) throw unavailable(down.name, down.reason);
    const inFlight = Promise.withResolvers<void>();
    this.#inFlight = inFlight;
    this.#lastMark = mark;
    const begunAt = performance.now();
    const timer = setTimeout(() => inFlight.reject(this.#late(timeoutMs)), timeoutMs);
    writer
      .write({ type: 'Apply', manifest: probeSidecar(namespace, mark) })
      .catch((error) => inFlight.reject(LazyscopeError.from('Unavailable', "cannot write the probe's Sidecar", error)));
    try {
      await inFlight.promise;
      logger.debug({ mark, milliseconds: Math.round(performance.now() - begunAt) }, 'every istiod has shown the mark');
    } finally {
      clearTimeout(timer);
      this.#inFlight = undefined;
    }
  }

  #shown(istiod: string, mark: number): void {
    this.#rounds = shown(this.#rounds, istiod, mark);
    if (isShown(this.#rounds)) this.#inFlight?.resolve();
  }

  #settle(waiters: readonly Waiter[]): void {
    if (waiters.length === 0) return;
    const timer = setTimeout(() => {
      this.#settling.delete(settling);
      for (const { resolve } of waiters) resolve();
    }, this.#options.settleMs ?? 1_000);
    const settling = { timer, waiters };
    this.#settling.add(settling);
  }

  #fail(error: LazyscopeError): void {
    const { rounds, released } = lost(this.#rounds);
    this.#rounds = rounds;
    for (const { reject } of released) reject(error);
  }

  #late(timeoutMs: number): LazyscopeError {
    const late = [...(this.#rounds.inFlight?.awaited ?? [])].join(', ');
    return unavailable(late, `it has not pushed the probe's Sidecar within ${timeoutMs / 1000} s`);
  }
}

function unavailable(istiod: string, reason: string): LazyscopeError {
  return new LazyscopeError('Unavailable', `istiod ${istiod}: ${reason}`);
}

function stopped(): LazyscopeError {
  return new LazyscopeError('Unavailable', 'the probe was stopped');
}
