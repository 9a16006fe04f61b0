/**
 * A delta ADS client that is no Envoy: it subscribes to whatever it likes, applies what comes, and believes the server
 * in everything. It checks what binds a server towards every client.
 */
import assert from 'node:assert/strict';
import { connect } from '../../../controller/core/delta/client.ts';
import { next } from '../../../controller/core/delta/delta.ts';
import type { DeltaResponse } from '../../../controller/core/delta/discovery.ts';
import { GIVE_UP_MS } from '../../../controller/core/delta/subscription.ts';
import type { Snapshot } from '../../../controller/core/model.ts';
import { MemoryStream } from './memory-stream.ts';
import { type ShortType, shortType, testCodec } from './worlds.ts';

/** The types, in no particular order. */
export const SHORT_TYPES = ['CDS', 'EDS', 'LDS', 'RDS'] as const satisfies readonly ShortType[];

/** What the client wants and has of one type. */
class Watch {
  wildcard = false;
  readonly names = new Set<string>();
  /** Version by name. */
  readonly held = new Map<string, string>();
  /** On this stream. */
  asked = false;
  /** Names of requests that are not answered yet, and endpoints that have to follow their clusters. */
  readonly asking = new Set<string>();
  /** Responses on the way or in the inbox, and when the server sent them. */
  unanswered: { readonly nonce: string; readonly at: number }[] = [];
  /** Processed, but the ACK was lost. */
  lostNonce: string | undefined;

  wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }
}

export class PlainClient {
  readonly #bad: ReadonlySet<string>;
  readonly #watches: Readonly<Record<ShortType, Watch>> = {
    CDS: new Watch(),
    EDS: new Watch(),
    LDS: new Watch(),
    RDS: new Watch(),
  };
  #inbox: DeltaResponse[] = [];
  #streams = 1;
  stream = new MemoryStream();

  /** @param bad `type name@version` of what it rejects; nothing of a response with such a resource is applied */
  constructor(bad: ReadonlySet<string> = new Set()) {
    this.#bad = bad;
  }

  held(type: ShortType): ReadonlyMap<string, string> {
    return this.#watches[type].held;
  }

  /** Opens a stream and subscribes to all that it wants; what was on the way on the old one is lost. */
  reconnect(snapshot: Snapshot | undefined): void {
    this.#streams += 1;
    const { now } = this.stream;
    this.stream = new MemoryStream();
    this.stream.now = now;
    this.stream.client = connect(this.#streams, now);
    if (snapshot) this.stream.publish(snapshot);
    this.#inbox = [];
    for (const type of SHORT_TYPES) {
      const watch = this.#watches[type];
      watch.asked = false;
      watch.unanswered = [];
      watch.lostNonce = undefined;
      watch.asking.clear();
      const subscribe = [...(watch.wildcard ? ['*'] : []), ...watch.names];
      if (subscribe.length > 0) this.#request(type, subscribe, []);
    }
  }

  /** `*` is the wildcard of CDS and LDS; no name at all is the legacy one, if it is the first request. */
  subscribe(type: ShortType, names: readonly string[]): void {
    const watch = this.#watches[type];
    if (names.includes('*') || (names.length === 0 && !watch.asked)) watch.wildcard = true;
    for (const name of names) if (name !== '*') watch.names.add(name);
    this.#request(type, names, []);
  }

  unsubscribe(type: ShortType, names: readonly string[]): void {
    const watch = this.#watches[type];
    if (names.includes('*')) watch.wildcard = false;
    for (const name of names) watch.names.delete(name);
    for (const name of watch.held.keys()) if (!watch.wants(name)) watch.held.delete(name);
    this.#request(type, [], names);
  }

  #request(type: ShortType, subscribe: readonly string[], unsubscribe: readonly string[]): void {
    const watch = this.#watches[type];
    const holds = watch.asked ? {} : Object.fromEntries(watch.held);
    watch.asked = true;
    for (const name of [...subscribe, ...unsubscribe]) watch.asking.add(name);
    this.stream.request(type, { subscribe, unsubscribe, holds });
  }

  hasAsked(type: ShortType): boolean {
    return this.#watches[type].asked;
  }

  /** The server sends one response, if it has one. */
  deliver(): DeltaResponse | undefined {
    const { client, response } = next(this.stream.client, testCodec, this.stream.now);
    this.stream.client = client;
    if (response === undefined) return undefined;
    this.#inbox.push(response);
    this.#check(response);
    return response;
  }

  /** Laws of every response, at the moment when it is sent. */
  #check({ type, resources, removed, nonce }: DeltaResponse): void {
    const short = shortType(type);
    const watch = this.#watches[short];
    const names = [...resources.map(({ name }) => name), ...removed];
    assert.ok(watch.asked || short === 'EDS', `${short} was sent and never asked for`);
    assert.equal(new Set(names).size, names.length, `a name comes twice in ${names.join(' ')}`);
    for (const resource of resources) assert.equal(resource.type, type, 'a resource of another type');
    const { now } = this.stream;
    if (watch.unanswered.some(({ at }) => now < at + GIVE_UP_MS)) {
      const unasked = names.filter((name) => !watch.asking.has(name));
      assert.deepEqual(unasked, [], `${short} pushed while a response is in flight`);
    }
    for (const name of names) watch.asking.delete(name);
    watch.unanswered.push({ nonce, at: now });
    if (short === 'CDS') for (const { name } of resources) this.#watches.EDS.asking.add(name);
  }

  /** Applies the oldest response that has arrived. An ACK gets lost, or is sent. */
  process(answer: 'Sent' | 'Lost'): boolean {
    const response = this.#inbox.shift();
    if (response === undefined) return false;
    const type = shortType(response.type);
    const watch = this.#watches[type];
    const rejects = response.resources.some(({ name, version }) => this.#bad.has(`${type} ${name}@${version}`));
    if (!rejects) this.#apply(watch, response);
    const isLost = answer === 'Lost' && !rejects;
    watch.lostNonce = isLost ? response.nonce : undefined;
    if (!isLost) this.#answer(type, response.nonce, rejects);
    return true;
  }

  #apply(watch: Watch, { resources, removed }: DeltaResponse): void {
    for (const { name, version } of resources) if (watch.wants(name)) watch.held.set(name, version);
    for (const name of removed) watch.held.delete(name);
  }

  #answer(type: ShortType, nonce: string, rejects: boolean): void {
    const watch = this.#watches[type];
    const at = watch.unanswered.findIndex((sent) => sent.nonce === nonce);
    watch.unanswered.splice(0, at + 1);
    this.stream.request(type, { nonce, ...(rejects && { error: 'rejected' }) });
  }

  /** How many responses are on their way, or processed without an answer. */
  get unanswered(): number {
    return SHORT_TYPES.reduce((sum, type) => sum + this.#watches[type].unanswered.length, 0);
  }

  /** Everything arrives and is answered, also what was lost before. @returns what the server said */
  settle(): readonly DeltaResponse[] {
    const said: DeltaResponse[] = [];
    for (const type of SHORT_TYPES) {
      const { lostNonce } = this.#watches[type];
      if (lostNonce !== undefined) this.#answer(type, lostNonce, false);
      this.#watches[type].lostNonce = undefined;
    }
    for (let round = 0; round < 8; round += 1) {
      for (let count = 0; this.#deliverTo(said) || this.process('Sent'); count += 1) {
        assert.ok(count < 1000, 'it never settles');
      }
      this.stream.wait(GIVE_UP_MS);
    }
    return said;
  }

  #deliverTo(said: DeltaResponse[]): boolean {
    const response = this.deliver();
    if (response) said.push(response);
    return response !== undefined;
  }
}
