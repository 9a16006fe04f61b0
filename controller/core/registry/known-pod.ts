import type { Pod, WorkloadKey } from '../model.ts';

/** A pod as it was told last, and its workload; the record itself stays the same while the pod exists. */
export interface PodRecord {
  pod: Pod;
  workload: WorkloadKey;
}

/** What others than the owner of the record see. */
export type KnownPod = Readonly<PodRecord>;
