import type { RelayTarget } from '../controller/core/relay-target.ts';
import { ConnectionReport } from './connection-report.ts';
import type { Dial } from './dial.ts';
import type { Admitted } from './door.ts';
import { FirstBytes, reportableHost } from './first-bytes.ts';
import { type GateOwner, Http1Gate } from './http1-gate.ts';
import type { RequestHead } from './http1-head.ts';
import type { ReplaceReason } from './metrics.ts';
import { callerNamespace, nameCompletion } from './name-completion.ts';
import { Pipe, type PipeHandler } from './pipe.ts';
import { ReadingAlong } from './reading-along.ts';
import { hostCounts, looksBeforeDialling, type Route, route, routeAsDialled, type Sight } from './route.ts';
import type { SessionContext } from './session-context.ts';

/** Silence of a client after which its connection is taken for what it has shown so far. */
const LOOK_MS = 100;
/** After this much silence of both sides a connection is announced as plain TCP. */
const SILENCE_MS = 1_000;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** An admitted connection, and whom to tell that it is over. */
export interface SessionStart extends Admitted {
  readonly onClosed: () => void;
}

/** One relayed connection: looks, decides, dials, pipes, reports. */
export class Session implements PipeHandler, GateOwner {
  readonly #context: SessionContext;
  readonly #start: SessionStart;
  readonly #pipe: Pipe;
  readonly #told: ConnectionReport;
  /** Whether HTTP/1 requests choose where the connection goes. Elsewhere the original address alone does. */
  readonly #steers: boolean;
  /** Whether a Host can say more than the original address does. */
  readonly #hostCounts: boolean;
  /** Present where a sidecar behind us looks at names. */
  readonly #along: ReadingAlong | undefined;
  /** Until it is known what the connection is. */
  #first: FirstBytes | undefined = new FirstBytes();
  /** Client bytes from before the first upstream. */
  #early: Buffer = NO_BYTES;
  /** What those bytes showed; absent where there were none. */
  #sight: Sight | undefined;
  #gate: Http1Gate | undefined;
  /** Service that the attached upstream stands for. */
  #service: RelayTarget | undefined;
  /** Host of the newest request that the upstream was given. */
  #host: string | undefined;
  /** Where the request goes that the gate holds. */
  #next: { readonly route: Route; readonly host: string } | undefined;
  #dial: Dial | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #wasAttached = false;
  /** The server has spoken while the client was silent. */
  #wasSpokenTo = false;

  constructor(context: SessionContext, start: SessionStart) {
    this.#context = context;
    this.#start = start;
    const { client, transport, source, destination, startTime } = start;
    const { bufferBytes, metrics, mode, report } = context;
    this.#pipe = new Pipe({ client, transport, handler: this, bufferBytes, totals: metrics.traffic });
    this.#told = new ConnectionReport(report, metrics.traffic, { source, destination, startTime });
    this.#steers = mode === 'direct' && looksBeforeDialling(destination, context.routing.table);
    this.#hostCounts = this.#steers || hostCounts(destination, mode, context.routing.table);
    if (mode === 'direct' || !this.#hostCounts) return;
    const namespace = callerNamespace(start, context.identities);
    const complete = nameCompletion(destination, namespace, context.routing.table);
    this.#along = new ReadingAlong(this, metrics.traffic, complete);
  }

  /** Starts: by looking, where HTTP is to be expected, else by dialling. */
  begin(): void {
    const { destination, early } = this.#start;
    if (!this.#steers || this.#context.routing.isNeverRelayed(destination)) {
      this.#early = early;
      this.#dialFirst();
      return;
    }
    this.#wait(LOOK_MS);
    this.#pipe.hold(false);
    if (early.length > 0) this.fromClient(early);
  }

  /** Ends both sides at once. */
  reset(): void {
    this.#pipe.reset();
  }

  // What the pipe asks.

  fromClient(chunk: Buffer): void {
    if (this.#gate) {
      this.#gate.fromClient(chunk);
      this.#afterGate();
    } else if (this.#first) this.#firstBytes(this.#first, chunk);
    else if (this.#along?.isOn) this.#along.fromClient(chunk);
    else this.#pipe.forward(chunk);
  }

  fromUpstream(chunk: Buffer): void {
    if (this.#gate) {
      this.#gate.fromUpstream(chunk);
      this.#afterGate();
      // What was held for this answer has passed.
      if (this.#hasEnded) this.#passEnd();
    } else if (this.#along?.isOn) this.#along.fromUpstream(chunk);
    else if (this.#first && !this.#wasSpokenTo) {
      this.#wasSpokenTo = true;
      this.#wait(LOOK_MS);
    }
  }

  clientEnded(): void {
    this.#hasEnded = true;
    this.#end();
  }

  upstreamGone(error: Error | undefined): boolean {
    const gate = this.#gate;
    if (gate && this.#steers && !this.#hasEnded) {
      if (gate.isIdle) {
        this.#pipe.detach();
        return true;
      }
      if (gate.isReplayable) {
        this.#pipe.detach();
        gate.awaitReplay();
        this.#next = { route: this.#routeTo(this.#host ?? ''), host: this.#host ?? '' };
        this.#replaceUpstream('Replayed');
        return true;
      }
    }
    if (error) this.#told.countError();
    return false;
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.#dial?.cancel();
    // A connection that carried nothing is an edge where the server may have been waited for, a probe elsewhere.
    if (this.#wasAttached && this.#first && !(this.#steers && this.#first.bytes.length === 0)) {
      this.#see(this.#first.conclude());
    }
    this.#told.close();
    this.#start.admission.release();
    this.#start.onClosed();
  }

  // What the gate asks.

  accepts(request: RequestHead): boolean {
    const host = request.host === this.#host ? this.#host : reportableHost(request.host);
    if (!this.#pipe.isAttached || host !== this.#host) {
      const next = this.#routeTo(host);
      const isSame = next.kind === 'Dial' && next.service?.service === this.#service?.service;
      if (!this.#pipe.isAttached || !isSame) {
        this.#next = { route: next, host };
        return false;
      }
      this.#seeHost(host);
    }
    this.#told.countRequest();
    return true;
  }

  forward(bytes: Buffer): void {
    this.#pipe.forward(bytes);
  }

  replace(): void {
    this.#replaceUpstream(this.#pipe.isAttached ? 'Host' : 'Vanished');
  }

  lost(): void {
    this.#context.metrics.refused('MessageOrderLost');
    this.#pipe.close();
  }

  // What reading along asks besides.

  onRequest(request: RequestHead): void {
    const host = reportableHost(request.host);
    if (host !== this.#host) this.#seeHost(host);
    this.#told.countRequest();
  }

  abort(reason: string): void {
    this.#context.metrics.refused(reason);
    this.#pipe.reset();
  }

  // First bytes: until the connection has shown what it is.

  #firstBytes(first: FirstBytes, chunk: Buffer): void {
    const sight = first.add(chunk);
    if (this.#steers && !this.#wasAttached) {
      if (sight) this.#lookedAt(first, sight);
      else this.#wait(LOOK_MS);
      return;
    }
    if (!this.#steers && !this.#along?.holdsFirstBytes) this.#pipe.forward(chunk);
    if (sight) this.#settle(first, sight);
    else this.#wait(LOOK_MS);
  }

  #concludeFirst(first: FirstBytes): void {
    const hasBytes = first.bytes.length > 0;
    if (!this.#wasAttached) {
      if (this.#steers && hasBytes) this.#lookedAt(first, first.conclude());
    } else if (hasBytes) this.#settle(first, first.conclude());
  }

  /** Nobody has said anything more for a while. */
  #silence(): void {
    const first = this.#first;
    if (!first) return;
    const hasBytes = first.bytes.length > 0;
    if (!this.#wasAttached) this.#lookedAt(first, hasBytes ? first.conclude() : undefined);
    else if (hasBytes) this.#settle(first, first.conclude());
    else if (!this.#steers) this.#see({ protocol: 'TCP' });
    else if (this.#pipe.hasReceived) this.#settle(first, { protocol: 'TCP' });
  }

  /** Done with looking: dials. Without a sight, the look goes on behind the original address. */
  #lookedAt(first: FirstBytes, sight: Sight | undefined): void {
    clearTimeout(this.#timer);
    this.#early = first.bytes;
    this.#sight = sight;
    this.#first = sight ? undefined : first;
    this.#dialFirst();
  }

  /** It is known what the connection is, and it has its upstream. */
  #settle(first: FirstBytes, sight: Sight): void {
    clearTimeout(this.#timer);
    this.#first = undefined;
    if (this.#steers) this.#follow(sight, first.bytes);
    else this.#readOn(sight, first.bytes);
  }

  /** Behind a sidecar of ours every request may go elsewhere; here there is little to do but look. */
  #readOn(sight: Sight, bytes: Buffer): void {
    this.#see(this.#reportable(sight));
    this.#host = sight.host;
    // What the server said before the first request would be taken for its response; in HTTP/2 it may speak first.
    const isReadable = sight.protocol === 'HTTP2' || !this.#pipe.hasReceived;
    if (isReadable && this.#along?.begin(sight.protocol, bytes)) return;
    if (sight.protocol === 'HTTP1') this.#told.countRequest();
    if (this.#along?.holdsFirstBytes && bytes.length > 0) this.#pipe.forward(bytes);
  }

  /** @param bytes client bytes that are not forwarded yet */
  #follow(sight: Sight, bytes: Buffer): void {
    if (sight.protocol === 'HTTP1' && !this.#pipe.hasReceived) {
      this.#gate = new Http1Gate(this, this.#context.bufferBytes);
      this.#gate.fromClient(bytes);
      this.#afterGate();
      return;
    }
    this.#see(this.#reportable(sight));
    if (sight.protocol === 'HTTP1') this.#told.countRequest();
    if (bytes.length > 0) this.#pipe.forward(bytes);
  }

  #reportable(sight: Sight): Sight {
    return sight.host === undefined || this.#hostCounts ? sight : { protocol: sight.protocol };
  }

  // Upstreams.

  #routeTo(host: string): Route {
    return route(this.#start.destination, { protocol: 'HTTP1', host }, this.#context.routing);
  }

  #dialFirst(): void {
    this.#pipe.hold(true);
    const { destination } = this.#start;
    const { mode, routing } = this.#context;
    const decision = mode === 'istio' ? routeAsDialled(destination, routing) : route(destination, this.#sight, routing);
    this.#dialRoute(decision, () => {
      this.#wasAttached = true;
      this.#context.metrics.traffic.connections += 1;
      this.#start.admission.established();
      this.#pipe.hold(false);
      this.#firstUpstream();
    });
  }

  #firstUpstream(): void {
    const early = this.#early;
    this.#early = NO_BYTES;
    if (this.#sight) this.#follow(this.#sight, early);
    else {
      this.#wait(SILENCE_MS);
      if (early.length > 0) this.fromClient(early);
    }
    if (this.#hasEnded) this.#end();
  }

  /** Gives the gate the upstream that its held or replayed request belongs to. */
  #replaceUpstream(reason: ReplaceReason): void {
    const next = this.#next;
    if (!next) return;
    this.#pipe.hold(true);
    this.#pipe.detach();
    this.#sight = { protocol: 'HTTP1', host: next.host };
    this.#dialRoute(next.route, () => {
      this.#context.metrics.replaced(reason);
      this.#seeHost(next.host);
      if (reason !== 'Replayed') this.#told.countRequest();
      this.#gate?.proceed();
      this.#afterGate();
      if (this.#hasEnded) this.#passEnd();
    });
  }

  #dialRoute(decision: Route, onAttached: () => void): void {
    if (decision.kind === 'Refuse') {
      this.#context.metrics.refused(decision.reason);
      this.#giveUp();
      return;
    }
    this.#dial = this.#context.dialler.dial(decision.candidates, (upstream) => {
      this.#dial = undefined;
      if (!upstream) {
        this.#told.failed(this.#reportable(this.#sight ?? { protocol: 'TCP' }));
        this.#giveUp();
        return;
      }
      this.#service = decision.service;
      this.#pipe.attach(upstream);
      onAttached();
    });
  }

  /** As if the destination had refused; what earlier requests were answered still arrives. */
  #giveUp(): void {
    if (this.#pipe.hasReceived) this.#pipe.close();
    else this.#pipe.reset();
  }

  /** Client bytes that are held pass before its FIN. */
  #end(): void {
    if (this.#first) this.#concludeFirst(this.#first);
    this.#along?.clientEnded();
    this.#passEnd();
  }

  #passEnd(): void {
    if (this.#dial || this.#gate?.isWaiting) return;
    this.#gate?.clientEnded();
    this.#pipe.endUpstream();
  }

  #afterGate(): void {
    const gate = this.#gate;
    if (!gate) return;
    if (!gate.isTransparent) {
      this.#pipe.hold(gate.isBlocked);
      return;
    }
    this.#gate = undefined;
    this.#pipe.hold(false);
    if (gate.hasGivenUp) this.#context.metrics.traffic.observersGivenUp += 1;
    if (!this.#told.current) this.#see({ protocol: 'HTTP1' });
  }

  // Reports.

  #seeHost(host: string): void {
    this.#host = host;
    this.#see({ protocol: 'HTTP1', host });
  }

  #see(sight: Sight): void {
    this.#pipe.counters = this.#told.see(sight, this.#pipe.counters);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silence(), ms);
  }
}
