/**
 * The controller with a mesh that it has learned already, and whose endpoints change on command. Everything from the
 * registry to the wire is the controller's own; only the mesh comes from here instead of files or an API server, as
 * its peers are told of changes by a call too.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { pino } from 'pino';
import { addressesOf } from '../../../controller/core/addresses.ts';
import { type NodeIdentity, RESOURCE_TYPES, type Resource, type Snapshot } from '../../../controller/core/model.ts';
import { SnapshotBuilder } from '../../../controller/core/snapshot/snapshot.ts';
import { Pipeline } from '../../../controller/pipeline.ts';
import { MemoryStore } from '../../../controller/store/memory.ts';
import { createGrpcServer } from '../../../controller/wire/grpc-server.ts';
import { encode } from '../../../controller/wire/messages.ts';
import { createAdsService } from '../../../controller/xds/server.ts';
import { eventually } from '../../support/eventually.ts';
import { entry } from '../../support/mesh-objects.ts';
import {
  clientPod,
  meshAddress,
  meshCluster,
  meshService,
  meshSlice,
  type SharedMesh,
  usedBy,
} from '../fan-out/shared-mesh.ts';
import { serveCommands } from '../method/commands.ts';

const PATIENCE_MS = 60_000;

const [shape = '', file = ''] = process.argv.slice(2);
const mesh: SharedMesh = JSON.parse(shape);
const clients = Array.from({ length: mesh.clients }, (_, index) => clientPod(index));
const logger = pino({ level: 'warn' }, process.stderr);
const pipeline = new Pipeline({
  store: new MemoryStore(),
  snapshots: new SnapshotBuilder({ encode, hash, egress: [{ address: '10.0.255.255', port: 15080 }] }),
  defaultMode: 'Enforce',
  now: Date.now,
  onProblem: (problem) => logger.warn(problem),
});

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

function nodeOf(index: number): NodeIdentity {
  const { name, namespace, addresses } = clientPod(index);
  const [address = ''] = addressesOf(addresses);
  const domain = `${namespace}.svc.cluster.local`;
  return {
    id: `sidecar~${address}~${name}.${namespace}~${domain}`,
    kind: 'sidecar',
    address,
    pod: name,
    namespace,
    domain,
  };
}

/** The whole mesh, and who uses what, as the egress would have told it. */
async function learn(): Promise<void> {
  await pipeline.start();
  const indices = Array.from({ length: mesh.services }, (_, index) => index);
  const objects = [...clients, ...indices.flatMap((index) => [meshService(index), meshSlice(mesh, index)])];
  pipeline.events(objects.map((object) => ({ type: 'Applied', object, at: Date.now() })));
  pipeline.synced(Date.now());
  const entries = clients.flatMap((_, client) =>
    usedBy(mesh, client).map((used) =>
      entry(nodeOf(client).address, meshAddress(used), {
        protocol: 'HTTP1',
        host: meshService(used).host,
        startTime: Date.now(),
      }),
    ),
  );
  pipeline.accessLogs(entries, Date.now());
  await eventually('all that was learned is published', () =>
    clients.every((_, client) =>
      usedBy(mesh, client).every((used) => held(client, RESOURCE_TYPES[0]).has(meshCluster(used))),
    ),
  );
}

function held<Type extends keyof Snapshot>(client: number, type: Type): ReadonlyMap<string, Resource> {
  const snapshot = pipeline.snapshot(nodeOf(client));
  if (!snapshot) throw new Error(`client ${client} is not known`);
  return snapshot[type];
}

/** Each resource once, and for each client the indices of those that it is to hold: see `peers/mesh` of the Go peers. */
function write(to: string): void {
  const places = new Map<Resource, number>();
  const placeOf = (resource: Resource): number => {
    const place = places.get(resource) ?? places.size;
    places.set(resource, place);
    return place;
  };
  const holders = clients.map((_, client) => ({
    node: nodeOf(client).id,
    holds: RESOURCE_TYPES.flatMap((type) => [...held(client, type).values()].map(placeOf)),
  }));
  const resources = [...places.keys()].map(({ type, name, bytes }) => ({
    type,
    name,
    bytes: Buffer.from(bytes).toString('base64'),
  }));
  writeFileSync(to, JSON.stringify({ resources, clients: holders }));
}

type Call = ServerDuplexStream<{ readonly response_nonce: string }, object>;

let awaited = 0;
let onAll = (): void => undefined;

/** Counts acknowledgements. */
function watched(handle: (call: Call) => void): (call: Call) => void {
  return (call) => {
    call.on('data', ({ response_nonce }: { readonly response_nonce: string }) => {
      if (response_nonce === '') return;
      awaited -= 1;
      if (awaited === 0) onAll();
    });
    handle(call);
  };
}

async function serve(): Promise<number> {
  const { handlers } = createAdsService({ source: pipeline, now: Date.now, logger });
  const handle = handlers['DeltaAggregatedResources'] as unknown as (call: Call) => void;
  const server = createGrpcServer({ discovery: { DeltaAggregatedResources: watched(handle) as never } });
  return (await server.listen({ address: '127.0.0.1', port: 0 })).port;
}

interface Change {
  /** Index of the service. */
  readonly index: number;
  readonly variant: number;
  /** Clients that are told, and acknowledge. */
  readonly expect: number;
}

/** Moves an endpoint. @returns milliseconds until the last acknowledgement */
async function change({ index, variant, expect }: Change): Promise<{ readonly ms: number }> {
  const began = performance.now();
  awaited = expect;
  const all = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${awaited} of ${expect} clients have not acknowledged`)),
      PATIENCE_MS,
    );
    onAll = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  pipeline.events([{ type: 'Applied', object: meshSlice(mesh, index, variant), at: Date.now() }]);
  await all;
  return { ms: performance.now() - began };
}

await learn();
write(file);
await serveCommands({ port: await serve() }, { change });
