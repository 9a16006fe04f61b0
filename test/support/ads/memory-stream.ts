/** A delta ADS stream without gRPC: the pure machine, a clock that is set by hand, and responses as short lines. */
import assert from 'node:assert/strict';
import { connect, type DeltaClient } from '../../../controller/core/delta/client.ts';
import { deadline, next, publish, type Received, receive } from '../../../controller/core/delta/delta.ts';
import type { DeltaResponse } from '../../../controller/core/delta/discovery.ts';
import type { Snapshot } from '../../../controller/core/model.ts';
import { type ShortType, shortType, TYPES, testCodec } from './worlds.ts';

export interface RequestFields {
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly holds?: Readonly<Record<string, string>>;
  readonly nonce?: string;
  readonly error?: string;
}

/** `CDS +added@version -removed`, names sorted; version 1 is not written. */
export function line(response: DeltaResponse): string {
  const added = response.resources.map(({ name, version }) => `+${name}${version === '1' ? '' : `@${version}`}`);
  return [shortType(response.type), ...added.sort(), ...response.removed.map((name) => `-${name}`).sort()].join(' ');
}

export class MemoryStream {
  client: DeltaClient;
  now = 0;
  /** The newest response of each type. */
  readonly last = new Map<ShortType, DeltaResponse>();
  received: Received | undefined;

  constructor(snapshot?: Snapshot) {
    this.client = connect(1, this.now);
    if (snapshot) this.publish(snapshot);
  }

  publish(snapshot: Snapshot): void {
    this.client = publish(this.client, snapshot);
  }

  request(type: ShortType, fields: RequestFields = {}): void {
    this.received = receive(
      this.client,
      {
        type: TYPES[type],
        subscribe: fields.subscribe ?? [],
        unsubscribe: fields.unsubscribe ?? [],
        initialVersions: new Map(Object.entries(fields.holds ?? {})),
        nonce: fields.nonce ?? '',
        ...(fields.error !== undefined && { error: fields.error }),
      },
      this.now,
    );
    this.client = this.received.client;
  }

  /** Acknowledges the newest response of each of these types. */
  ack(...types: readonly ShortType[]): void {
    for (const type of types) this.request(type, { nonce: this.nonce(type) });
  }

  nack(type: ShortType, error = 'bad resource'): void {
    this.request(type, { nonce: this.nonce(type), error });
  }

  nonce(type: ShortType): string {
    const response = this.last.get(type);
    assert.ok(response, `no ${type} response has been sent`);
    return response.nonce;
  }

  /** Lets time pass. */
  wait(milliseconds: number): void {
    this.now += milliseconds;
  }

  /** Everything that the server has to say now. */
  responses(): readonly DeltaResponse[] {
    const responses: DeltaResponse[] = [];
    for (;;) {
      const { client, response } = next(this.client, testCodec, this.now);
      this.client = client;
      if (response === undefined) return responses;
      assert.ok(responses.length < 100, 'the server does not stop to send');
      this.last.set(shortType(response.type), response);
      responses.push(response);
    }
  }

  /** What the server says now is exactly this, in this order. No line: it is silent. */
  expect(...lines: readonly string[]): void {
    assert.deepEqual(this.responses().map(line), lines);
  }

  expectSilence(): void {
    this.expect();
  }

  /** Acknowledges whatever comes until the server is silent; what it said. */
  settle(): readonly string[] {
    const said: string[] = [];
    for (let responses = this.responses(); responses.length > 0; responses = this.responses()) {
      said.push(...responses.map(line));
      this.answer(responses);
    }
    return said;
  }

  /** Acknowledges these responses. */
  answer(responses: readonly DeltaResponse[]): void {
    for (const { type, nonce } of responses) this.request(shortType(type), { nonce });
  }

  deadline(): number | undefined {
    return deadline(this.client, this.now);
  }
}
