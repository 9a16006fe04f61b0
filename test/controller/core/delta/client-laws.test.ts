/** Laws that hold for every client, whatever it subscribes to, loses and rejects: it need not behave like Envoy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeltaResponse } from '../../../../controller/core/delta/discovery.ts';
import { GIVE_UP_MS } from '../../../../controller/core/delta/subscription.ts';
import { RESOURCE_TYPES, type Snapshot } from '../../../../controller/core/model.ts';
import { PlainClient, SHORT_TYPES } from '../../../support/ads/plain-client.ts';
import { type ShortType, TYPES, testCodec, world } from '../../../support/ads/worlds.ts';

/** Clusters with endpoints, and clusters without: which is which never changes here. */
const WITH_ENDPOINTS = ['e1', 'e2', 'e3'];
const CLUSTERS = [...WITH_ENDPOINTS, 's1', 's2'];
const PORTS = ['80', '81'];
const NAMES: Readonly<Record<ShortType, readonly string[]>> = {
  CDS: [...CLUSTERS, 'ghost'],
  EDS: [...WITH_ENDPOINTS, 'ghost'],
  LDS: ['l80', 'l81', 'tcp-e1', 'tcp-s1', 'ghost'],
  RDS: [...PORTS, 'ghost'],
};

const version = fc.constantFrom('1', '2', '3');
const anyWorld: fc.Arbitrary<Snapshot> = fc
  .record({
    clusters: fc.subarray(CLUSTERS),
    versions: fc.array(version, { minLength: 12, maxLength: 12 }),
    ports: fc.subarray(PORTS),
    routes: fc.tuple(fc.subarray(CLUSTERS), fc.subarray(CLUSTERS)),
    tcp: fc.subarray(['e1', 's1']),
  })
  .map(({ clusters, versions, ports, routes, tcp }) => {
    const versionAt = (index: number) => versions[index] ?? '1';
    const routed = (port: string) => routes[PORTS.indexOf(port)]?.filter((name) => clusters.includes(name)) ?? [];
    return world({
      CDS: clusters.map((name) => `${name}@${versionAt(CLUSTERS.indexOf(name))}`).join(' '),
      EDS: clusters
        .filter((name) => WITH_ENDPOINTS.includes(name))
        .map((name) => `${name}@${versionAt(5 + CLUSTERS.indexOf(name))}`)
        .join(' '),
      LDS: [
        ...ports.map((port) => `l${port}@${versionAt(9)}>rds:${port}`),
        ...tcp.filter((name) => clusters.includes(name)).map((name) => `tcp-${name}@${versionAt(8)}>${name}`),
      ].join(' '),
      RDS: ports.map((port) => `${port}@${routed(port).join('+') || 'none'}>${routed(port).join(',')}`).join(' '),
    });
  });

/** What the client has asked for, and what there is. */
interface Model {
  snapshot: Snapshot | undefined;
  readonly wants: Readonly<Record<ShortType, { wildcard: boolean; readonly names: Set<string> }>>;
}

type Command = fc.Command<Model, PlainClient>;

/** A command that is always possible, with words for the counterexample. */
function command(words: string, run: (model: Model, client: PlainClient) => void): Command {
  return { check: () => true, run, toString: () => words };
}

const WILDCARD_TYPES: readonly ShortType[] = ['CDS', 'LDS'];

function namesOf(type: ShortType): fc.Arbitrary<readonly string[]> {
  const star = WILDCARD_TYPES.includes(type) ? ['*'] : [];
  return fc.subarray([...star, ...NAMES[type]], { minLength: 1, maxLength: 3 });
}

const anyType = fc.constantFrom(...SHORT_TYPES);
const anyNames = anyType.chain((type) => fc.tuple(fc.constant(type), namesOf(type)));

const publish = anyWorld.map((snapshot) =>
  command('publish', (model, client) => {
    model.snapshot = snapshot;
    client.stream.publish(snapshot);
  }),
);
/** All but the endpoints stays the same maps, as snapshots have it. */
const moveEndpoints = version.map((moved) =>
  command(`move endpoints to ${moved}`, (model, client) => {
    if (model.snapshot === undefined) return;
    const names = [...model.snapshot[TYPES.EDS].keys()];
    const { [TYPES.EDS]: endpoints } = world({ EDS: names.map((name) => `${name}@${moved}`).join(' ') });
    model.snapshot = { ...model.snapshot, [TYPES.EDS]: endpoints };
    client.stream.publish(model.snapshot);
  }),
);
const subscribe = anyNames.map(([type, names]) =>
  command(`subscribe ${type} ${names.join(' ')}`, ({ wants }, client) => {
    if (names.includes('*')) wants[type].wildcard = true;
    for (const name of names) if (name !== '*') wants[type].names.add(name);
    client.subscribe(type, names);
  }),
);
const legacyWildcard = fc.constantFrom(...WILDCARD_TYPES).map((type) =>
  command(`subscribe ${type}`, ({ wants }, client) => {
    if (!client.hasAsked(type)) wants[type].wildcard = true;
    client.subscribe(type, []);
  }),
);
const unsubscribe = anyNames.map(([type, names]) =>
  command(`unsubscribe ${type} ${names.join(' ')}`, ({ wants }, client) => {
    // An unsubscription as the very first request would be a legacy wildcard too.
    if (!client.hasAsked(type)) return;
    if (names.includes('*')) wants[type].wildcard = false;
    for (const name of names) wants[type].names.delete(name);
    client.unsubscribe(type, names);
  }),
);
const deliver = fc.integer({ min: 1, max: 6 }).map((times) =>
  command(`deliver ${times}`, (_, client) => {
    for (let count = 0; count < times; count += 1) client.deliver();
  }),
);
const process = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom('Sent', 'Sent', 'Lost'))
  .map(([times, answer]) =>
    command(`process ${times} ${answer}`, (_, client) => {
      for (let count = 0; count < times; count += 1) client.process(answer);
    }),
  );
const wait = fc
  .constantFrom(10, 1000, GIVE_UP_MS)
  .map((milliseconds) => command(`wait ${milliseconds}`, (_, client) => client.stream.wait(milliseconds)));
const reconnect = fc.constant(command('reconnect', ({ snapshot }, client) => client.reconnect(snapshot)));

const commands = fc.commands(
  [
    publish,
    publish,
    moveEndpoints,
    subscribe,
    subscribe,
    legacyWildcard,
    unsubscribe,
    deliver,
    deliver,
    process,
    process,
    wait,
    reconnect,
  ],
  { maxCommands: 40, size: 'max' },
);

const anyBad = fc
  .subarray(['CDS e1@1', 'CDS s1@2', 'EDS e2@1', 'EDS e1@2', 'LDS l80@1', 'LDS tcp-s1@3', 'RDS 80@none', 'RDS 81@e1'])
  .map((bad) => new Set(bad));

function freshModel(): Model {
  const nothing = () => ({ wildcard: false, names: new Set<string>() });
  return { snapshot: undefined, wants: { CDS: nothing(), EDS: nothing(), LDS: nothing(), RDS: nothing() } };
}

/** Runs the commands, then lets everything arrive, on this stream or after one more reconnect. */
function run(all: Iterable<Command>, bad: ReadonlySet<string>, reconnectsLast: boolean) {
  const model = freshModel();
  const client = new PlainClient(bad);
  fc.modelRun(() => ({ model, real: client }), all);
  if (reconnectsLast) client.reconnect(model.snapshot);
  client.settle();
  return { model, client };
}

/** The subscribed part of the snapshot. */
function expected({ snapshot, wants }: Model, type: ShortType): ReadonlyMap<string, string> {
  const { wildcard, names } = wants[type];
  const resources = [...(snapshot?.[TYPES[type]].values() ?? [])];
  return new Map(
    resources.filter(({ name }) => wildcard || names.has(name)).map(({ name, version }) => [name, version] as const),
  );
}

/** Route names that exist nowhere are answered with an empty configuration; that is no part of the snapshot. */
function held(client: PlainClient, type: ShortType): ReadonlyMap<string, string> {
  const all = [...client.held(type)];
  return new Map(type === 'RDS' ? all.filter(([, version]) => version !== 'empty') : all);
}

test('a client ends with exactly the subscribed part of the newest snapshot', () => {
  fc.assert(
    fc.property(commands, fc.boolean(), (all, reconnectsLast) => {
      const { model, client } = run(all, new Set(), reconnectsLast);
      for (const type of SHORT_TYPES) assert.deepEqual(held(client, type), expected(model, type), type);
    }),
    { numRuns: 1_500 },
  );
});

test('the same content again, as another object, pushes nothing', () => {
  fc.assert(
    fc.property(commands, (all) => {
      const { model, client } = run(all, new Set(), false);
      fc.pre(model.snapshot !== undefined);
      if (model.snapshot) client.stream.publish(structuredClone(model.snapshot));
      assert.equal(client.deliver(), undefined);
    }),
    { numRuns: 1_500 },
  );
});

/** Whether the client can get this resource: it accepts it and every cluster that it leads to. */
function isAcceptable(snapshot: Snapshot, bad: ReadonlySet<string>, type: ShortType, name: string): boolean {
  const resource = snapshot[TYPES[type]].get(name);
  if (resource === undefined) return true;
  if (bad.has(`${type} ${name}@${resource.version}`)) return false;
  const { clusters, routes } = testCodec.references(resource);
  return (
    (type !== 'LDS' && type !== 'RDS') ||
    ([...clusters].every((cluster) => isAcceptable(snapshot, bad, 'CDS', cluster)) &&
      [...routes].every((route) => isAcceptable(snapshot, bad, 'RDS', route)))
  );
}

test('a client that rejects resources gets all others', () => {
  fc.assert(
    fc.property(commands, anyBad, fc.boolean(), (all, bad, reconnectsLast) => {
      const { model, client } = run(all, bad, reconnectsLast);
      const { snapshot } = model;
      fc.pre(snapshot !== undefined);
      if (snapshot === undefined) return;
      for (const type of SHORT_TYPES) {
        for (const [name, version] of expected(model, type)) {
          if (isAcceptable(snapshot, bad, type, name))
            assert.equal(held(client, type).get(name), version, `${type} ${name}`);
        }
      }
    }),
    { numRuns: 1_500 },
  );
});

test('what is remembered of a client is no more than it wants and holds, whatever it has rejected', () => {
  fc.assert(
    fc.property(commands, anyBad, (all, bad) => {
      const { subscriptions } = run(all, bad, false).client.stream.client;
      for (const type of RESOURCE_TYPES) {
        const { names, wildcard, suspects, quarantine, owed, held: known } = subscriptions[type];
        // Endpoints follow their cluster unasked.
        const clusters = type === TYPES.EDS ? subscriptions[TYPES.CDS].held : new Map();
        const remembered = [...known.keys(), ...quarantine.keys(), ...owed, ...suspects.flatMap((group) => [...group])];
        const isWanted = (name: string) => wildcard || names.has(name) || clusters.has(name);
        assert.deepEqual(
          remembered.filter((name) => !isWanted(name)),
          [],
          type,
        );
      }
    }),
    { numRuns: 1_500 },
  );
});

/** Checks what the server said of one type after a reconnect. */
function assertNothingNeedless(
  responses: readonly DeltaResponse[],
  type: ShortType,
  before: ReadonlyMap<string, string>,
  named: ReadonlySet<string>,
): void {
  const sent = responses.flatMap(({ resources }) => resources);
  const gone = responses.flatMap(({ removed }) => removed);
  for (const { name, version } of sent) {
    const isDue = named.has(name) || type === 'EDS' || before.get(name) !== version;
    assert.ok(isDue, `${type} ${name} was sent though it is held and nobody asked for it`);
  }
  for (const name of gone) assert.ok(before.has(name) || named.has(name), `${type} ${name} is told as removed`);
  const answered = new Set([...sent.map(({ name }) => name), ...gone]);
  assert.deepEqual(
    [...named].filter((name) => !answered.has(name)),
    [],
    `${type} unanswered`,
  );
  // The endpoints of a cluster follow it; all else is sent once.
  if (type !== 'EDS') assert.equal(new Set(sent.map(({ name }) => name)).size, sent.length, type);
}

test('after a reconnect comes only what changed, but every name is answered and endpoints are always sent again', () => {
  fc.assert(
    fc.property(commands, anyWorld, (all, changed) => {
      const { model, client } = run(all, new Set(), false);
      const before = new Map(SHORT_TYPES.map((type) => [type, new Map(client.held(type))]));
      client.reconnect(changed);
      const said = client.settle();
      for (const type of SHORT_TYPES) {
        const { wildcard, names } = model.wants[type];
        const responses = said.filter((response) => response.type === TYPES[type]);
        assertNothingNeedless(responses, type, before.get(type) ?? new Map(), names);
        if (wildcard) assert.ok(responses.length > 0, `${type} wildcard without an answer`);
      }
    }),
    { numRuns: 1_500 },
  );
});

test('no response is pushed while one of its type is in flight, and no name comes twice in a response', () => {
  let inFlight = 0;
  fc.assert(
    fc.property(commands, anyBad, (all, bad) => {
      // The client checks each response as it is sent.
      const client = new PlainClient(bad);
      fc.modelRun(() => ({ model: freshModel(), real: client }), all);
      inFlight += client.unanswered;
    }),
    { numRuns: 1_500 },
  );
  assert.ok(inFlight > 1_000, `only ${inFlight} responses were left unanswered in all`);
});
