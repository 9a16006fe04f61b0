/** One delta ADS stream: moves messages between gRPC and the protocol core, and says who connected. */
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { connect, type DeltaClient } from '../core/delta/client.ts';
import { deadline, next, publish, type Received, receive } from '../core/delta/delta.ts';
import type { DeltaRequest, DeltaResponse, ResourceCodec } from '../core/delta/discovery.ts';
import { excessOf } from '../core/delta/limits.ts';
import { statusOf, warmClusters } from '../core/delta/status.ts';
import { CLUSTER, LISTENER, type NodeIdentity, type Timestamp } from '../core/model.ts';
import { parseNodeId } from '../core/node-identity.ts';
import type { ClientStatus, HeldResources, SnapshotSource } from '../core/ports.ts';
import { Unreadable } from '../wire/grpc.ts';
import { clipped, encodeResponse, nodeIdOf, shortTypeName, toRequest, typeUrlOf } from './discovery-messages.ts';
import type { AdsMetrics } from './metrics.ts';
import type { Turns } from './turns.ts';

const NOTHING_HELD: HeldResources = { clusters: new Map(), listeners: new Map() };

/** What all streams share. */
export interface AdsContext {
  readonly source: SnapshotSource;
  readonly codec: ResourceCodec;
  readonly now: () => Timestamp;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  readonly metrics: AdsMetrics;
  readonly turns: Turns;
  /** Milliseconds within which a client must say who it is. */
  readonly introductionMs: number;
  /** Called once, when the client has said who it is. */
  readonly identified: (stream: AdsStream) => void;
  /** Called once, when the stream is over. */
  readonly closed: (stream: AdsStream) => void;
}

type Call = ServerDuplexStream<object, object>;

export class AdsStream {
  readonly number: number;
  /** Address of the peer, without its port. */
  readonly address: string;
  readonly #call: Call;
  readonly #context: AdsContext;
  readonly #ignoredTypes = new Set<string>();
  #client: DeltaClient;
  /** Set by the first request. */
  #node: NodeIdentity | undefined;
  #held = NOTHING_HELD;
  #isAnnounced = false;
  #isDirty = true;
  /** A response is on its way into the transport; the next one waits, so that a slow client costs one response. */
  #isWriting = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: Call, number: number, context: AdsContext) {
    this.number = number;
    this.address = call.getPeer().replace(/:\d+$/, '');
    this.#call = call;
    this.#context = context;
    this.#client = connect(number, context.now());
    const silent = () => this.#refuse(status.DEADLINE_EXCEEDED, 'silent', 'no request has come on it');
    this.#timer = setTimeout(silent, context.introductionMs).unref();
    call.on('data', (message: object) => this.#guarded(() => this.#message(message)));
    call.on('end', () => this.close());
    for (const event of ['cancelled', 'close', 'error'] as const) call.on(event, () => this.#over());
  }

  get node(): NodeIdentity | undefined {
    return this.#node;
  }

  status(): ClientStatus | undefined {
    return this.#node && statusOf(this.#client, this.#node);
  }

  /** The snapshot may have changed. It is asked for when it is this stream's turn. */
  markDirty(): void {
    this.#isDirty = true;
    this.#context.turns.ask(this);
  }

  /** Ends the stream; Envoy keeps what it has and connects again. */
  close(): void {
    this.#call.end();
    this.#over();
  }

  /** Sends at most one response. */
  turn(): void {
    if (this.#isOver || this.#isWriting || this.#node === undefined) return;
    const node = this.#node;
    this.#guarded(() => {
      this.#refresh(node);
      const { client, response } = next(this.#client, this.#context.codec, this.#context.now());
      this.#client = client;
      if (response) this.#send(response);
      else this.#wakeAtDeadline();
    });
  }

  #refresh(node: NodeIdentity): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    const snapshot = this.#context.source.snapshot(node);
    if (snapshot !== undefined) this.#client = publish(this.#client, snapshot);
  }

  #send(response: DeltaResponse): void {
    const { metrics, logger, turns } = this.#context;
    metrics.pushed(response);
    const { resources, removed } = response;
    logger.debug(
      {
        node: this.#node?.id,
        type: shortTypeName(response.type),
        resources: resources.length,
        removed: removed.length,
      },
      'Pushed',
    );
    this.#isWriting = true;
    this.#call.write(encodeResponse(response), () => {
      this.#isWriting = false;
      turns.ask(this);
    });
  }

  #wakeAtDeadline(): void {
    clearTimeout(this.#timer);
    const now = this.#context.now();
    const at = deadline(this.#client, now);
    if (at !== undefined) this.#timer = setTimeout(() => this.#context.turns.ask(this), at - now).unref();
  }

  #message(message: object): void {
    if (this.#isOver) return;
    if (message instanceof Unreadable) {
      this.#refuse(status.INVALID_ARGUMENT, 'message', `the request is no DeltaDiscoveryRequest: ${message.reason}`);
      return;
    }
    this.#node ??= this.#identify(message);
    if (this.#node === undefined) return;
    const request = toRequest(message);
    if (request === undefined) this.#ignore(typeUrlOf(message));
    else this.#request(this.#node, request);
  }

  #identify(message: object): NodeIdentity | undefined {
    const parsed = parseNodeId(nodeIdOf(message));
    if ('node' in parsed) {
      clearTimeout(this.#timer);
      this.#node = parsed.node;
      this.#context.logger.info({ node: parsed.node.id, stream: this.number, address: this.address }, 'Connected');
      this.#context.identified(this);
      return parsed.node;
    }
    this.#refuse(status.INVALID_ARGUMENT, `node ${parsed.field}`, parsed.reason);
    return undefined;
  }

  #request(node: NodeIdentity, request: DeltaRequest): void {
    const excess = excessOf(this.#client.subscriptions[request.type], request);
    if (excess !== undefined) {
      this.#refuse(status.RESOURCE_EXHAUSTED, 'names', excess);
      return;
    }
    const tellsMore = this.#hear(request);
    const received = receive(this.#client, request, this.#context.now());
    this.#client = received.client;
    if (tellsMore || !this.#isAnnounced) this.#announce(node);
    if (received.warmed) this.#warmed(node);
    if (received.rejected) this.#rejected(node, request, received.rejected);
    this.#context.turns.ask(this);
  }

  /** Takes note of what the client held before; whether that is news. */
  #hear({ type, initialVersions }: DeltaRequest): boolean {
    if (initialVersions.size === 0 || this.#client.subscriptions[type].asked) return false;
    if (type === CLUSTER) this.#held = { ...this.#held, clusters: initialVersions };
    else if (type === LISTENER) this.#held = { ...this.#held, listeners: initialVersions };
    return type === CLUSTER || type === LISTENER;
  }

  #announce(node: NodeIdentity): void {
    const { source, now } = this.#context;
    this.#isAnnounced = true;
    source.clientConnected(node, this.number, this.#held, now());
    this.#isDirty = true;
    if (this.#client.lastAckAt !== undefined) this.#warmed(node);
  }

  #warmed(node: NodeIdentity): void {
    const { source, now } = this.#context;
    source.clientWarmed(node, this.number, warmClusters(this.#client), now());
  }

  #rejected(node: NodeIdentity, { type }: DeltaRequest, rejected: NonNullable<Received['rejected']>): void {
    const { logger, metrics } = this.#context;
    const { quarantined, message } = rejected;
    metrics.rejected(type);
    const fields = { node: node.id, type: shortTypeName(type), resources: quarantined, message };
    if (quarantined.length > 0) logger.warn(fields, 'Rejected by the client; it goes without this version');
    else logger.debug(fields, 'Rejected by the client; sent again in parts');
  }

  #ignore(unknown: string): void {
    const typeUrl = clipped(unknown, 200);
    if (this.#ignoredTypes.size >= 10 || this.#ignoredTypes.has(typeUrl)) return;
    this.#ignoredTypes.add(typeUrl);
    this.#context.metrics.refused('type');
    this.#context.logger.warn({ node: this.#node?.id, typeUrl }, 'Type is not served; ignored');
  }

  #refuse(code: status, reason: string, details: string): void {
    this.#context.metrics.refused(reason);
    this.#context.logger.warn({ peer: this.#call.getPeer(), node: this.#node?.id, details }, 'xDS stream refused');
    this.#call.emit('error', { code, details });
    this.#over();
  }

  /** A fault of ours ends this stream and no other. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#context.logger.error({ err: error, node: this.#node?.id }, 'xDS stream failed');
      this.#call.emit('error', { code: status.INTERNAL, details: 'internal error' });
      this.#over();
    }
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#context.turns.leave(this);
    this.#context.closed(this);
    if (this.#node === undefined) return;
    this.#context.logger.info({ node: this.#node.id, stream: this.number }, 'Disconnected');
    if (this.#isAnnounced) this.#context.source.clientDisconnected(this.#node, this.number, this.#context.now());
  }
}
