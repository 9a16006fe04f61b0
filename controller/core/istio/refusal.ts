/** Why a workload that should be lazy is not. */

/** Stable; shown by reports and events. */
export type RefusalReason =
  // About the mesh:
  | 'KillSwitch'
  | 'EgressDown'
  | 'EgressRefuses'
  | 'HopMissing'
  | 'PlaintextHop'
  | 'PolicyLooksAtCaller'
  | 'NetworkPolicy'
  | 'PolicyUnreadable'
  | 'MixedPorts'
  // About the workload:
  | 'ExcludedNamespace'
  | 'HostNetwork'
  | 'Gateway'
  | 'Ambient'
  | 'PodsDiffer'
  | 'NoCommonLabels'
  | 'SelectorOverlap'
  | 'UserSidecar'
  | 'ShadowedHop';

export interface Refusal {
  readonly reason: RefusalReason;
  /** Names the object and the field, and says what to do. */
  readonly message: string;
}

export function refusal(reason: RefusalReason, message: string): Refusal {
  return { reason, message };
}
