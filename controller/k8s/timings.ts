/** How long the Kubernetes source waits for what, in milliseconds. */

export interface KubernetesTimings {
  /** Bound of the first wait after a failure; it doubles up to {@link longestRetry}. */
  readonly firstRetry: number;
  readonly longestRetry: number;
  /**
   * Between two looks at a kind that is not installed, and at most between two at one that may not be read; up to half
   * as much again, by chance.
   */
  readonly calmRetry: number;
  /** A list that misses much is believed when a second one, this much later, misses it too. */
  readonly secondLook: number;
  /** The server is asked to end a watch after this long; up to twice as long, by chance. */
  readonly watchDuration: number;
  /**
   * A watch without any byte for so long is held for dead. The server sends a bookmark about once a minute, so that two
   * may be late or lost before a live watch is dropped. A server whose etcd reports no progress sends none for a kind
   * that never changes; such a watch is replaced in vain, which costs one request.
   */
  readonly idleLimit: number;
  /** A watch that lived so long, or told anything, is a success: the next failure waits as little as the first. */
  readonly goodWatch: number;
}

export const DEFAULT_TIMINGS: KubernetesTimings = {
  firstRetry: 500,
  longestRetry: 30_000,
  calmRetry: 20_000,
  secondLook: 5_000,
  watchDuration: 300_000,
  idleLimit: 150_000,
  goodWatch: 5_000,
};
