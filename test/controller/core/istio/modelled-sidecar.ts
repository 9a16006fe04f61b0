/** A sidecar as far as a Sidecar resource concerns it: which clusters it holds, and where its routes lead. */
import assert from 'node:assert/strict';
import type { SidecarScope } from '../../../../controller/core/istio/sidecar.ts';

export const SERVICES = ['shop/a', 'shop/b', 'shop/c', 'shop/d'] as const;
const ALL: ReadonlySet<string> = new Set(SERVICES);

interface Config {
  readonly clusters: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
}

/** What istiod makes of a Sidecar, and of none. */
function configOf(scope: SidecarScope | undefined): Config {
  if (!scope) return { clusters: ALL, routes: ALL };
  const { routed, warm } = scope;
  return { clusters: warm.has('*/*') ? ALL : new Set([...routed, ...warm]), routes: routed };
}

export class ModelledSidecar {
  #config: Config;

  constructor(scope: SidecarScope | undefined) {
    this.#config = configOf(scope);
  }

  /** Where its routes lead, sorted. */
  get routes(): string[] {
    return [...this.#config.routes].sort();
  }

  get clusters(): string[] {
    return [...this.#config.clusters].sort();
  }

  /**
   * It gets a push. Clusters and routes of one push take effect in no order that could be relied upon: requests fail
   * where a route leads to a cluster that comes, or goes, with it.
   */
  push(scope: SidecarScope | undefined): void {
    const before = this.#config;
    const after = configOf(scope);
    for (const service of after.routes) {
      assert.ok(before.clusters.has(service), `${service} comes and is routed to in one push`);
    }
    for (const service of before.routes) {
      assert.ok(after.clusters.has(service), `${service} goes with its last route in one push`);
    }
    this.#config = after;
  }
}
