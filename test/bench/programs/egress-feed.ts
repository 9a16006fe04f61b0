/**
 * In an egress's place: holds its routing table like one, and reports connections of every workload of a large mesh to
 * its dependencies, as fast as the controller takes them or at a steady pace. It comes back when the controller does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientWritableStream, credentials, Metadata } from '@grpc/grpc-js';
import type { AccessLogEntry } from '../../../controller/core/model.ts';
import { encodeAccessLogs, encodeIdentifier } from '../../../controller/wire/access-log.ts';
import { AccessLogService } from '../../../controller/wire/grpc.ts';
import { CHANNEL_OPTIONS } from '../../../egress/controller-stream.ts';
import { TableClient } from '../../../egress/table.ts';
import { dependenciesOf } from '../large-mesh/edges.ts';
import { largeService, podAddress } from '../large-mesh/objects.ts';

export interface FeedOptions {
  /** `address:port` of the controller. */
  readonly controller: string;
  readonly nodeId: string;
  /** Number of the first workload that reports. */
  readonly first: number;
  readonly workloads: number;
  readonly dependencies: number;
  /** Of each workload; they call in turn. */
  readonly pods: number;
  /** ClusterIP by number of the service. */
  readonly clusterIPs: readonly string[];
}

export type FeedCommand =
  | { readonly kind: 'Begin'; readonly options: FeedOptions }
  /** Every edge so many times. */
  | { readonly kind: 'Feed'; readonly passes: number }
  /** Edges in turn, until the next command. */
  | { readonly kind: 'Trickle'; readonly entriesPerSecond: number };

/** The answer to every command: of `Feed` when the controller's side of the connection has taken all. */
export interface FeedReport {
  readonly entries: number;
}

const BATCH = 250;
const RECONNECT_MS = 50;
/** Between two messages of a trickle. */
const TRICKLE_MS = 100;

let messages: readonly Buffer[] = [];
/** In all of them. */
let entries = 0;
let feed: Feed | undefined;
let trickle = 0;

class Feed {
  readonly #client: Client;
  readonly #nodeId: string;
  #call: ClientWritableStream<Buffer> | undefined;

  constructor({ controller, nodeId }: FeedOptions) {
    this.#client = new Client(controller, credentials.createInsecure(), CHANNEL_OPTIONS);
    this.#nodeId = nodeId;
    const table = new TableClient({
      client: this.#client,
      nodeId,
      asksEndpoints: false,
      isNeverRelayed: () => false,
      onChange: () => {},
      onRejected: (resource, reason) => process.stderr.write(`${resource}: ${reason}\n`),
    });
    table.start();
    this.#open();
  }

  /** Resolves when more may be written, however long the controller is away. */
  async write(message: Buffer): Promise<void> {
    while (!this.#call) await delay(RECONNECT_MS);
    const call = this.#call;
    if (call.write(message)) return;
    await new Promise<void>((resolve) => {
      call.once('drain', resolve);
      call.once('error', resolve);
      call.once('close', resolve);
    });
  }

  #open(): void {
    const { path, requestSerialize, responseDeserialize } = AccessLogService.StreamAccessLogs;
    const over = (): void => {
      if (this.#call !== call) return;
      this.#call = undefined;
      setTimeout(() => this.#open(), RECONNECT_MS);
    };
    const call: ClientWritableStream<Buffer> = this.#client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      over,
    );
    call.on('error', over);
    this.#call = call;
    call.write(Buffer.from(encodeIdentifier(this.#nodeId)));
  }
}

/** Each edge once, of all workloads in turn, so that a part of it concerns many of them. */
function encodeAll(options: FeedOptions): Buffer[] {
  const { workloads, dependencies } = options;
  const entries: AccessLogEntry[] = [];
  for (let dependency = 0; dependency < dependencies; dependency += 1) {
    for (let index = 0; index < workloads; index += 1) {
      entries.push(entryOf(options, options.first + index, dependency));
    }
  }
  const batches = Array.from({ length: Math.ceil(entries.length / BATCH) }, (_, index) =>
    entries.slice(index * BATCH, (index + 1) * BATCH),
  );
  return batches.flatMap((batch) => [...encodeAccessLogs(batch)].map((message) => Buffer.from(message)));
}

function entryOf({ pods, clusterIPs }: FeedOptions, workload: number, dependency: number): AccessLogEntry {
  const service = dependenciesOf(workload, clusterIPs.length)[dependency] ?? 0;
  const [, host] = largeService(service).key.split('/');
  return {
    phase: 'Start',
    reporter: '',
    startTime: Date.now(),
    source: { address: podAddress(workload, dependency % pods), port: 40_000 + dependency },
    destination: { address: clusterIPs[service] ?? '', port: 8_080 },
    protocol: 'HTTP1',
    host: `${host}:8080`,
    answered: true,
    counters: { connections: 1, requests: 3, bytesSent: 1_200, bytesReceived: 34_000, errors: 0 },
  };
}

async function carryOut(command: FeedCommand): Promise<number> {
  trickle += 1;
  if (command.kind === 'Begin') {
    const { workloads, dependencies } = command.options;
    messages = encodeAll(command.options);
    entries = workloads * dependencies;
    feed = new Feed(command.options);
    return 0;
  }
  if (command.kind === 'Trickle') {
    void run(command.entriesPerSecond, trickle);
    return 0;
  }
  for (let pass = 0; pass < command.passes; pass += 1) for (const message of messages) await feed?.write(message);
  return command.passes * entries;
}

async function run(entriesPerSecond: number, turn: number): Promise<void> {
  const each = (entriesPerSecond * TRICKLE_MS) / 1_000 / BATCH;
  for (let at = 0; turn === trickle; at += each) {
    for (let index = Math.ceil(at); index < at + each; index += 1) {
      const message = messages[index % messages.length];
      if (message) await feed?.write(message);
    }
    await delay(TRICKLE_MS);
  }
}

process.on('message', (command: FeedCommand) => {
  void carryOut(command).then((entries) => process.send?.({ entries } satisfies FeedReport));
});
