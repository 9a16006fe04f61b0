/** Ports of Istio mode's way out: what is written to the Kubernetes API, by whom, and how it is known to have arrived. */
import type { Timestamp, WorkloadKey } from './model.ts';

/** What names an object at the API server. */
export interface ManifestRef {
  /** `group/version`, or `v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A Kubernetes object as we write it: only the fields that are ours. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** One change of an object of ours. */
export type ManifestWrite =
  | { readonly type: 'Apply'; readonly manifest: Manifest }
  | { readonly type: 'Delete'; readonly ref: ManifestRef };

/** Something that operators should see with `kubectl get events`. */
export interface OperatorEvent {
  /** The object that it is about. */
  readonly about: ManifestRef;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, stable. */
  readonly reason: string;
  readonly message: string;
}

/** Writes to the API server. */
export interface ManifestWriter {
  /**
   * Server-side apply with field manager `lazyscope`, which takes over fields that others changed; a deletion of what
   * does not exist succeeds.
   * @throws LazyscopeError `Forbidden` (the message names verb, resource and namespace), `InvalidObject`, `Unavailable`
   */
  write(change: ManifestWrite): Promise<void>;
  /** Never rejects: an event that cannot be written is logged. */
  event(event: OperatorEvent): Promise<void>;
}

/** Who may write. */
export interface Leadership {
  /** Whether this process holds the Lease at this moment, with time to finish a write. */
  readonly isLeader: boolean;
  /** Calls back whenever that changes. */
  onChange(listener: (isLeader: boolean) => void): void;
  start(): void;
  /** Gives the Lease up, so that another may take it at once. */
  stop(): Promise<void>;
}

/** Tells when what was written has arrived in the sidecars. */
export interface ArrivalProbe {
  start(): Promise<void>;
  /**
   * Resolves once every istiod that it watches has pushed what was written to the API server before this call, and the
   * sidecars have had time to apply it. Rejects when it cannot tell (`Unavailable`): the caller then waits by the clock.
   */
  confirm(): Promise<void>;
  stop(): Promise<void>;
}

/** One write that is due, with a name by which its outcome is told. */
export interface PublishableWrite {
  /** `undefined`: an object of the whole mesh, which must be written before those that follow it. */
  readonly workload: WorkloadKey | undefined;
  readonly write: ManifestWrite;
}

/** What the publisher asks and tells; implemented by the pipeline. */
export interface PublicationSource {
  /** The writes whose time has come, each once; each must be answered with `written` or `failed`. */
  dueWrites(now: Timestamp): readonly PublishableWrite[];
  /** When to ask again if `onDue` does not call before; infinite: not at all. */
  readonly nextWriteAt: Timestamp;
  /** Calls back when something may be due earlier than was said. */
  onDue(listener: () => void): void;
  written(write: PublishableWrite, at: Timestamp): void;
  failed(write: PublishableWrite, error: unknown, at: Timestamp): void;
  /** Everything that the API server had by the time `asOf` has reached the sidecars. */
  arrived(asOf: Timestamp, at: Timestamp): void;
  /** Whether something is to be written as soon as what was written before has arrived. */
  readonly awaitsArrival: boolean;
}
