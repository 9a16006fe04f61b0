/** The probe's delta ADS stream to one istiod: clusters alone, kept open with back-off. */
import { type ChannelCredentials, Client, type ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import { StreamBackOff } from '../core/back-off.ts';
import { CLUSTER, type SocketAddress } from '../core/model.ts';
import { socketAddressText } from '../core/socket-address.ts';
import { AggregatedDiscoveryService } from '../wire/grpc.ts';
import { messageType } from '../wire/messages.ts';
import { fromJsonForm } from '../wire/well-known.ts';
import { markOf } from './probe-sidecar.ts';

const REQUEST = messageType('envoy.service.discovery.v3.DeltaDiscoveryRequest');

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': -1,
  // istiod ends connections that ping more often than every 15 s (half of its own 30 s).
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
} as const;

/** From opening a stream to its first answer. */
const ANSWER_DEADLINE_MS = 5_000;

interface DeltaResponse {
  readonly type_url: string;
  readonly nonce: string;
  readonly resources?: readonly { readonly name: string }[];
}

type Call = ClientDuplexStream<object, object>;

export interface IstiodStreamOptions {
  readonly istiod: SocketAddress;
  readonly credentials: ChannelCredentials;
  /** Of istiod's certificate, where it is dialled by its address. */
  readonly serverName?: string;
  readonly node: object;
  /** A mark was pushed. What the stream's first answer holds is not told: it did not go through istiod's push queue. */
  readonly onMark: (mark: number) => void;
  /** The stream ended, or did not open. */
  readonly onDown: (reason: string) => void;
}

export class IstiodStream {
  readonly name: string;
  /** Resolves when the first attempt to open it has succeeded or failed. */
  readonly tried: Promise<void>;
  readonly #options: IstiodStreamOptions;
  readonly #client: Client;
  readonly #setTried: () => void;
  readonly #backOff = new StreamBackOff(Math.random);
  #call: Call | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mark: number | undefined;
  #isOpen = false;
  #isStopped = false;
  #reason = 'the stream has not opened yet';

  constructor(options: IstiodStreamOptions) {
    const { istiod, credentials, serverName } = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.name = socketAddressText(istiod);
    this.tried = promise;
    this.#setTried = resolve;
    this.#options = options;
    this.#client = new Client(this.name, credentials, {
      ...CHANNEL_OPTIONS,
      ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
    });
    this.#open();
  }

  /** Whether istiod has answered on it. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Why it is not open. */
  get reason(): string {
    return this.#reason;
  }

  /** The mark that istiod told last. */
  get mark(): number | undefined {
    return this.#mark;
  }

  stop(): void {
    this.#isStopped = true;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#call?.cancel();
    this.#client.close();
    this.#setTried();
  }

  #open(): void {
    const openedAt = performance.now();
    const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.DeltaAggregatedResources;
    const call: Call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
    this.#call = call;
    this.#timer = setTimeout(() => this.#end(call, openedAt, 'it did not answer within 5 s'), ANSWER_DEADLINE_MS);
    call.on('data', (response: DeltaResponse) => this.#receive(call, response));
    call.on('error', (error) => this.#end(call, openedAt, error.message));
    call.on('end', () => this.#end(call, openedAt, 'it ended the stream'));
    call.write(fromJsonForm(REQUEST, { node: this.#options.node, type_url: CLUSTER }));
  }

  #receive(call: Call, response: DeltaResponse): void {
    if (this.#call !== call || response.type_url !== CLUSTER) return;
    call.write({ type_url: CLUSTER, response_nonce: response.nonce });
    const marks = (response.resources ?? []).flatMap(({ name }) => markOf(name) ?? []);
    const mark = marks.at(-1);
    this.#mark = mark ?? this.#mark;
    if (this.#isOpen) {
      if (mark !== undefined) this.#options.onMark(mark);
      return;
    }
    clearTimeout(this.#timer);
    this.#isOpen = true;
    this.#setTried();
  }

  #end(call: Call, openedAt: number, reason: string): void {
    if (this.#call !== call || this.#isStopped) return;
    this.#call = undefined;
    this.#isOpen = false;
    this.#reason = reason;
    call.cancel();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#backOff.after(performance.now() - openedAt));
    this.#setTried();
    this.#options.onDown(reason);
  }
}
