/** Mesh objects from a Kubernetes API server, followed while they change. */
import { isDeepStrictEqual } from 'node:util';
import type { MeshObject } from '../core/mesh-object.ts';
import type { MeshSink, MeshSource } from '../core/ports.ts';
import type { ReadinessCheck } from '../core/report.ts';
import type { ReduceOptions } from '../wire/kubernetes/reduction.ts';
import type { Cluster } from './cluster.ts';
import { KnownObjects, type News } from './known-objects.ts';
import { Reflector, type ReflectorListener } from './reflector.ts';
import { qualifiedName, type WatchedResource, watchedResources } from './resources.ts';
import { standing } from './standing.ts';
import { DEFAULT_TIMINGS, type KubernetesTimings } from './timings.ts';

export interface KubernetesSourceOptions {
  readonly cluster: Cluster;
  /** Suffix of service hosts, usually `cluster.local`. */
  readonly clusterDomain: string;
  /** Istio's objects and policies are read in Istio mode alone. */
  readonly mode: 'direct' | 'istio';
  /** Our own; of its ConfigMaps the kill switch alone is read. */
  readonly namespace: string;
  /** ConfigMap of Istio's mesh config, where that matters. */
  readonly meshConfig?: WatchedResource['only'];
  /** Milliseconds since the epoch, `Date.now` by default: stamps events. */
  readonly now?: () => number;
  /** Told the name that RBAC gives a kind, once, when it was listed or cannot be. */
  readonly onListed?: (resource: string) => void;
  /** {@link DEFAULT_TIMINGS} where not given. */
  readonly timings?: Partial<KubernetesTimings>;
}

/**
 * Tells the objects of every kind that may be read, then what changes. The last state is kept while the API server is
 * away; a kind that may not be read is named and done without until it may.
 */
export class KubernetesSource implements MeshSource {
  readonly #now: () => number;
  readonly #onListed: (resource: string) => void;
  readonly #reflectors: readonly Reflector[];
  readonly #stopping = new AbortController();
  #started: { readonly sink: MeshSink; readonly synced: () => void } | undefined;
  /** What was told before everything was listed, by resource; `undefined` after. */
  #start: Map<WatchedResource, News[]> | undefined = new Map();
  readonly #unsettled: Set<WatchedResource>;
  #running: Promise<unknown> = Promise.resolve();
  #unreadable: ReadonlySet<MeshObject['kind']> = new Set();
  #down = false;

  constructor(options: KubernetesSourceOptions) {
    const { cluster, clusterDomain, mode, namespace, meshConfig } = options;
    this.#now = options.now ?? Date.now;
    this.#onListed = options.onListed ?? (() => {});
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const reduceOptions: ReduceOptions = { clusterDomain, undeclared: mode === 'istio' ? 'Auto' : 'TCP' };
    const resources = watchedResources(mode, namespace, meshConfig);
    this.#unsettled = new Set(resources);
    const listener: ReflectorListener = {
      told: (resource, news) => this.#told(resource, news),
      settled: (resource) => this.#settled(resource),
      stateChanged: (resource) => this.#stateChanged(resource),
    };
    this.#reflectors = resources.map((resource) => {
      const known = new KnownObjects(resource, reduceOptions);
      return new Reflector({ cluster, resource, known, listener, timings, now: this.#now, random: Math.random });
    });
  }

  /** Resolves once every kind that may be read was told; keeps trying while the API server is away. */
  async start(sink: MeshSink): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#started = { sink, synced: resolve };
    const { signal } = this.#stopping;
    this.#running = Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
    await promise;
  }

  /** Nothing is told any more from the moment of the call. */
  async stop(): Promise<void> {
    this.#started = undefined;
    this.#stopping.abort();
    await this.#running;
  }

  /** Lines of `/readyz`: kinds that may not be read, and watches that are down. None of them makes us unready. */
  checks(): readonly ReadinessCheck[] {
    return standing(this.#reflectors, this.#now());
  }

  #told(resource: WatchedResource, news: News): void {
    if (!this.#started) return;
    if (this.#start) {
      const earlier = this.#start.get(resource);
      if (earlier) earlier.push(news);
      else this.#start.set(resource, [news]);
      return;
    }
    if (news.events.length > 0) this.#started.sink.events(news.events);
    for (const problem of news.problems) this.#started?.sink.problem(problem);
  }

  #settled(resource: WatchedResource): void {
    this.#unsettled.delete(resource);
    this.#onListed(qualifiedName(resource));
    if (this.#unsettled.size > 0 || !this.#started || !this.#start) return;
    const { sink, synced } = this.#started;
    const start = this.#start;
    this.#start = undefined;
    const news = this.#reflectors.flatMap((reflector) => start.get(reflector.resource) ?? []);
    const events = news.flatMap((one) => one.events);
    if (events.length > 0) sink.events(events);
    for (const problem of news.flatMap(({ problems }) => problems)) sink.problem(problem);
    sink.synced(this.#now());
    synced();
  }

  #stateChanged(resource: WatchedResource): void {
    const sink = this.#started?.sink;
    const state = this.#reflectors.find((reflector) => reflector.resource === resource)?.state;
    if (!sink || !state) return;
    if (state.name === 'Forbidden') sink.problem({ subject: qualifiedName(resource), reason: state.reason });
    const isDown = this.#reflectors.some((reflector) => reflector.state.name === 'Down');
    if (state.name === 'Down' && !this.#down) {
      sink.problem({
        subject: 'Kubernetes API',
        reason: `${state.reason}: what is known is kept until it answers again`,
      });
    }
    this.#down = isDown;
    this.#tellUnreadable(sink);
  }

  #tellUnreadable(sink: MeshSink): void {
    const forbidden = this.#reflectors.filter(({ state }) => state.name === 'Forbidden');
    const kinds = new Set(forbidden.map(({ resource }) => resource.kind));
    if (isDeepStrictEqual(kinds, this.#unreadable)) return;
    this.#unreadable = kinds;
    sink.unreadable(kinds);
  }
}
