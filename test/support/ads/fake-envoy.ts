/**
 * Envoy as a delta ADS client, as far as it matters here: responses are applied in order and possibly late, a cluster
 * warms until its endpoints come, the CDS ACK waits until nothing warms, endpoints and routes are subscribed as
 * clusters and listeners need them. It checks at every step that its traffic cannot break.
 */
import assert from 'node:assert/strict';
import { connect } from '../../../controller/core/delta/client.ts';
import { next } from '../../../controller/core/delta/delta.ts';
import type { DeltaResponse } from '../../../controller/core/delta/discovery.ts';
import { CLUSTER, type Resource, type Snapshot } from '../../../controller/core/model.ts';
import { MemoryStream, type RequestFields } from './memory-stream.ts';
import { type ShortType, shortType, TYPES, testCodec } from './worlds.ts';

/** How this Envoy treats bad resources. */
export interface Rejecting {
  /** `type name@version` of what it rejects. */
  readonly bad: ReadonlySet<string>;
  /** An unknown extension: the good ones of a rejected response are applied. Else nothing of it is. */
  readonly appliesGoodOnes: boolean;
}

/** Whether the cluster's endpoints come by EDS; a cluster in egress form is STATIC. */
function hasEndpoints(cluster: Resource): boolean {
  return !cluster.version.startsWith('static');
}

export class FakeEnvoy {
  readonly #rejecting: Rejecting;
  readonly #applied: Record<ShortType, Map<string, Resource>> = {
    CDS: new Map(),
    EDS: new Map(),
    LDS: new Map(),
    RDS: new Map(),
  };
  /** What it lists in `initial_resource_versions`. */
  readonly #versions: Record<ShortType, Map<string, string>> = {
    CDS: new Map(),
    EDS: new Map(),
    LDS: new Map(),
    RDS: new Map(),
  };
  readonly #warming = new Set<string>();
  /** Clusters that were warm once: they serve while a changed one warms. */
  readonly #active = new Set<string>();
  #inbox: DeltaResponse[] = [];
  /** Answers to CDS responses, held while a cluster warms. */
  #cdsAnswers: RequestFields[] = [];
  #asked = new Set<ShortType>();
  stream = new MemoryStream();

  constructor(rejecting: Rejecting) {
    this.#rejecting = rejecting;
  }

  held(type: ShortType): ReadonlyMap<string, string> {
    return new Map([...this.#applied[type]].map(([name, { version }]) => [name, version]));
  }

  /** Opens a stream; what was on the way on the old one is lost. */
  connect(snapshot: Snapshot, streamNumber: number, now: number): void {
    this.stream = new MemoryStream();
    this.stream.now = now;
    this.stream.client = connect(streamNumber, now);
    this.stream.publish(snapshot);
    this.#inbox = [];
    this.#cdsAnswers = [];
    this.#asked = new Set();
    if (this.#warming.size === 0) this.#ask('CDS', []);
    if (this.#applied.LDS.size > 0) this.#ask('LDS', []);
    if (this.#routeNames().length > 0) this.#ask('RDS', this.#routeNames());
    if (this.#endpointNames().length > 0) this.#ask('EDS', this.#endpointNames());
  }

  /** The server sends one response, if it has one. */
  deliver(): boolean {
    const { client, response } = next(this.stream.client, testCodec, this.stream.now);
    this.stream.client = client;
    if (response) this.#inbox.push(response);
    return response !== undefined;
  }

  /** Applies the oldest response that has arrived. */
  process(): boolean {
    const response = this.#inbox.shift();
    if (response) this.#apply(response);
    return response !== undefined;
  }

  #ask(type: ShortType, subscribe: readonly string[], unsubscribe: readonly string[] = []): void {
    const first = !this.#asked.has(type);
    this.#asked.add(type);
    const holds = first ? Object.fromEntries(this.#versions[type]) : {};
    this.stream.request(type, { subscribe, unsubscribe, holds });
  }

  #apply(response: DeltaResponse): void {
    const type = shortType(response.type);
    // A type without subscription is dropped without an ACK.
    if (!this.#asked.has(type) && !(type === 'EDS' && this.#endpointNames().length > 0)) return;
    const names = [...response.resources.map(({ name }) => name), ...response.removed];
    assert.equal(new Set(names).size, names.length, 'a name comes twice in one response');
    const bad = response.resources.filter(({ name, version }) => this.#rejecting.bad.has(`${type} ${name}@${version}`));
    const rejects = bad.length > 0;
    const resources = rejects && !this.#rejecting.appliesGoodOnes ? [] : response.resources;
    for (const resource of resources) if (!bad.includes(resource)) this.#add(type, resource, rejects);
    for (const name of response.removed) this.#remove(type, name);
    // A rejected response tells every watch of the type that it failed, which ends warming (watch_map.cc, eds.cc).
    if (type === 'EDS' && rejects) this.#warming.clear();
    this.#answer(type, { nonce: response.nonce, ...(rejects && { error: 'rejected' }) });
    this.#follow(type);
  }

  #answer(type: ShortType, fields: RequestFields): void {
    if (type === 'CDS') this.#cdsAnswers.push(fields);
    else this.stream.request(type, fields);
    this.#endWarming();
  }

  #endWarming(): void {
    if (this.#warming.size > 0) return;
    for (const name of this.#applied.CDS.keys()) this.#active.add(name);
    if (!this.#asked.has('CDS')) this.#ask('CDS', []);
    for (const fields of this.#cdsAnswers.splice(0)) this.stream.request('CDS', fields);
    if (!this.#asked.has('LDS')) this.#ask('LDS', []);
  }

  #add(type: ShortType, resource: Resource, forgotten: boolean): void {
    if (!this.#watches(type, resource.name)) return;
    const before = this.#applied[type].get(resource.name);
    this.#applied[type].set(resource.name, resource);
    if (!forgotten) this.#versions[type].set(resource.name, resource.version);
    if (type === 'CDS' && hasEndpoints(resource) && before?.version !== resource.version) {
      this.#warming.add(resource.name);
    }
    if (type === 'CDS' && !hasEndpoints(resource)) this.#warming.delete(resource.name);
    if (type === 'EDS') this.#warming.delete(resource.name);
    if (type === 'LDS' || type === 'RDS') this.#checkReferences(resource);
  }

  #watches(type: ShortType, name: string): boolean {
    if (type === 'EDS') return this.#endpointNames().includes(name);
    return type !== 'RDS' || this.#routeNames().includes(name);
  }

  #remove(type: ShortType, name: string): void {
    if (type === 'EDS') {
      // Ends warming, hosts stay.
      this.#warming.delete(name);
      return;
    }
    if (type === 'CDS') {
      this.#checkUnused(name);
      this.#warming.delete(name);
      this.#active.delete(name);
    }
    this.#applied[type].delete(name);
    this.#versions[type].delete(name);
  }

  /** Subscribes and unsubscribes what clusters and listeners need now. */
  #follow(type: ShortType): void {
    if (type === 'CDS') this.#followNames('EDS', this.#endpointNames());
    if (type === 'LDS') this.#followNames('RDS', this.#routeNames());
  }

  #followNames(type: 'EDS' | 'RDS', wanted: readonly string[]): void {
    const { names } = this.stream.client.subscriptions[TYPES[type]];
    const added = wanted.filter((name) => !names.has(name));
    const gone = [...names].filter((name) => !wanted.includes(name));
    for (const name of gone) {
      this.#applied[type].delete(name);
      this.#versions[type].delete(name);
    }
    if (added.length + gone.length > 0) this.#ask(type, added, gone);
  }

  #endpointNames(): string[] {
    return [...this.#applied.CDS.values()].filter(hasEndpoints).map(({ name }) => name);
  }

  #routeNames(): string[] {
    return [...new Set([...this.#applied.LDS.values()].flatMap((item) => [...testCodec.references(item).routes]))];
  }

  #checkReferences(resource: Resource): void {
    for (const cluster of testCodec.references(resource).clusters) {
      assert.ok(this.#active.has(cluster), `${resource.name} refers to ${cluster}, which was never warm here`);
    }
  }

  #checkUnused(cluster: string): void {
    for (const type of ['LDS', 'RDS'] as const) {
      for (const resource of this.#applied[type].values()) {
        const uses = testCodec.references(resource).clusters.has(cluster);
        assert.ok(!uses, `${cluster} was removed while ${resource.name} refers to it`);
      }
    }
  }
}

/** The versions that a client of this snapshot should end with. */
export function wanted(snapshot: Snapshot): Record<ShortType, ReadonlyMap<string, string>> {
  const clusters = [...snapshot[CLUSTER].values()];
  const versions = (resources: Iterable<Resource>) =>
    new Map([...resources].map(({ name, version }) => [name, version]));
  const all = Object.values(snapshot);
  const ofType = (type: ShortType) =>
    all.flatMap((map) => [...map.values()]).filter((item) => shortType(item.type) === type);
  const withEndpoints = new Set(clusters.filter(hasEndpoints).map(({ name }) => name));
  const routes = new Set(ofType('LDS').flatMap((item) => [...testCodec.references(item).routes]));
  return {
    CDS: versions(clusters),
    EDS: versions(ofType('EDS').filter(({ name }) => withEndpoints.has(name))),
    LDS: versions(ofType('LDS')),
    RDS: versions(ofType('RDS').filter(({ name }) => routes.has(name))),
  };
}
