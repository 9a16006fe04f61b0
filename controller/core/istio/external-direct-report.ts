/** What operators are told of external connections that are to leave from the pods themselves. */
import type { OperatorEvent } from '../publishing.ts';
import type { ReadinessCheck } from '../report.ts';
import type { ExternalDirectRefusal } from './external-direct-refusal.ts';
import type { ExternalDirectSettings } from './external-direct-settings.ts';
import { EGRESS_SERVICE, type IstioSettings } from './settings.ts';

/** Line of `/readyz`. */
export function externalDirectCheck(
  { ports, meshRanges }: ExternalDirectSettings,
  refusal: ExternalDirectRefusal | undefined,
): ReadinessCheck {
  const done = `ports ${ports.join(', ')} outside ${meshRanges.join(', ')} are direct for lazy pods`;
  return { name: 'external-direct', ok: true, degraded: refusal !== undefined, detail: refusal?.message ?? done };
}

/** As an event of the egress's Service, which carries what is refused. @param refusal absent: it has ended */
export function externalDirectEvent(
  refusal: ExternalDirectRefusal | undefined,
  { namespace }: IstioSettings,
): OperatorEvent {
  const about = { apiVersion: 'v1', kind: 'Service', namespace, name: EGRESS_SERVICE };
  if (!refusal) {
    const message = 'external connections may leave from lazy pods themselves again';
    return { about, type: 'Normal', reason: 'ExternalDirectAgain', message };
  }
  return {
    about,
    type: 'Warning',
    reason: refusal.reason,
    message: `external connections cross the egress: ${refusal.message}`,
  };
}
