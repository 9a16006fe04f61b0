/** How the kinds stand, as lines of `/readyz`. */
import type { ReadinessCheck } from '../core/report.ts';
import type { Reflector } from './reflector.ts';
import { qualifiedName } from './resources.ts';

type Standing = Pick<Reflector, 'resource' | 'state'>;

function rights(reflectors: readonly Standing[]): ReadinessCheck {
  const forbidden = reflectors
    .filter(({ state }) => state.name === 'Forbidden')
    .map(({ resource }) => qualifiedName(resource));
  const isAllowed = forbidden.length === 0;
  return {
    name: 'kubernetes-rights',
    ok: isAllowed,
    degraded: !isAllowed,
    detail: isAllowed
      ? 'every kind may be read'
      : `may not list and watch ${forbidden.join(', ')}: done without until it is granted`,
  };
}

function watches(reflectors: readonly Standing[], now: number): ReadinessCheck {
  const troubles = reflectors.flatMap(({ resource, state }) => {
    if (state.name === 'Starting') return `${qualifiedName(resource)} not listed yet`;
    if (state.name !== 'Down') return [];
    const seconds = Math.max(0, Math.round((now - state.since) / 1000));
    return `${qualifiedName(resource)} not followed for ${seconds} s (${state.reason})`;
  });
  const isFollowing = troubles.length === 0;
  return {
    name: 'kubernetes-watches',
    ok: isFollowing,
    degraded: !isFollowing,
    detail: isFollowing ? 'every kind is followed' : troubles.join('; '),
  };
}

/** @param now same clock as that of the reflectors */
export function standing(reflectors: readonly Standing[], now: number): readonly ReadinessCheck[] {
  return [rights(reflectors), watches(reflectors, now)];
}
