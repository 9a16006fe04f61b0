/**
 * Two-phase promotion and eviction as one pure step: from what a workload's Sidecar says to what it should say next.
 *
 * A service enters through the warm entry, and is routed to once its clusters have arrived in the sidecars; on its way
 * out it goes back there, and leaves when the routes have. So no route ever names a cluster that a sidecar lacks.
 */
import type { ServiceKey } from '../model.ts';
import { EVERYTHING } from './settings.ts';
import type { SidecarScope } from './sidecar.ts';

/** Where a workload is to get. */
export type Target =
  /** Routes to exactly these (besides what every lazy sidecar holds). */
  | { readonly kind: 'Lazy'; readonly wanted: ReadonlySet<ServiceKey> }
  /** No Sidecar of ours. */
  | { readonly kind: 'Eager' };

export type Step =
  /** Nothing is to be written now. `waiting`: something will be, once the last write has arrived. */
  | { readonly kind: 'Rest'; readonly waiting: boolean }
  | { readonly kind: 'Write'; readonly scope: SidecarScope }
  | { readonly kind: 'Delete' };

const REST: Step = { kind: 'Rest', waiting: false };
const WAIT: Step = { kind: 'Rest', waiting: true };

/**
 * @param published what the Sidecar says; `undefined`: there is none, the workload is eager
 * @param hasArrived whether the sidecars have surely got it
 */
export function nextStep(published: SidecarScope | undefined, target: Target, hasArrived: boolean): Step {
  if (target.kind === 'Eager') return published ? towardsEager(published, hasArrived) : REST;
  // An eager sidecar holds everything: what is wanted is warm, and the rest leaves by way of the warm entry.
  if (!published) return { kind: 'Write', scope: { routed: target.wanted, warm: new Set([EVERYTHING]) } };
  return towardsLazy(published, target.wanted, hasArrived);
}

/** Holding more fails nothing, so that needs no waiting. */
function towardsEager({ routed, warm }: SidecarScope, hasArrived: boolean): Step {
  if (!warm.has(EVERYTHING)) return { kind: 'Write', scope: { routed, warm: new Set([EVERYTHING]) } };
  return hasArrived ? { kind: 'Delete' } : WAIT;
}

function towardsLazy(published: SidecarScope, wanted: ReadonlySet<ServiceKey>, hasArrived: boolean): Step {
  const scope = following(published, wanted);
  if (sameKeys(scope.routed, published.routed) && sameKeys(scope.warm, published.warm)) return REST;
  // What is warm must be known to have arrived before it is routed to, or before its last routes are known to be gone.
  return published.warm.size === 0 || hasArrived ? { kind: 'Write', scope } : WAIT;
}

/** What was warming is routed to, what was cooling goes; the next batch warms, what is no longer wanted cools. */
function following({ routed, warm }: SidecarScope, wanted: ReadonlySet<ServiceKey>): SidecarScope {
  const isWarm = (key: ServiceKey): boolean => warm.has(key) || warm.has(EVERYTHING);
  const next = new Set([...wanted].filter((key) => routed.has(key) || isWarm(key)));
  const warming = [...wanted].filter((key) => !next.has(key));
  const cooling = [...routed].filter((key) => !wanted.has(key));
  return { routed: next, warm: new Set([...warming, ...cooling]) };
}

/** Whether two sets have the same members. */
export function sameKeys(a: ReadonlySet<ServiceKey>, b: ReadonlySet<ServiceKey>): boolean {
  return a.size === b.size && [...a].every((key) => b.has(key));
}
