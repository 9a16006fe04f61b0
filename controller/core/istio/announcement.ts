/** What operators are told when workloads may not be lazy, or may again. */
import type { WorkloadKey } from '../model.ts';
import type { ManifestRef, OperatorEvent } from '../publishing.ts';
import type { Refusal } from './refusal.ts';
import { EGRESS_SERVICE, type IstioSettings } from './settings.ts';

/** A refusal that began, or (without one) ended. */
export interface Announcement {
  /** `undefined`: it concerns the whole mesh. */
  readonly workload: WorkloadKey | undefined;
  readonly refusal: Refusal | undefined;
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  CronJob: 'batch/v1',
  Job: 'batch/v1',
  Pod: 'v1',
  Rollout: 'argoproj.io/v1alpha1',
};

/** As an event of the workload, or of the egress's Service where it concerns everybody. */
export function eventOf({ workload, refusal }: Announcement, { namespace }: IstioSettings): OperatorEvent {
  const about: ManifestRef = workload
    ? workloadRef(workload)
    : { apiVersion: 'v1', kind: 'Service', namespace, name: EGRESS_SERVICE };
  const who = workload ?? 'every workload';
  if (!refusal) return { about, type: 'Normal', reason: 'LazyAgain', message: `${who} may be lazy again` };
  const { reason, message } = refusal;
  return { about, type: 'Warning', reason, message: `${who} is eager: ${message}` };
}

function workloadRef(workload: WorkloadKey): ManifestRef {
  const [namespace = '', kind = '', name = ''] = workload.split('/');
  return { apiVersion: API_VERSIONS[kind] ?? 'apps/v1', kind, namespace, name };
}
