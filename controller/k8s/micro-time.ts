import type { Timestamp } from '../core/model.ts';

/** `metav1.MicroTime`, which Kubernetes reads only with exactly six digits after the point. */
export function microTime(time: Timestamp): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}
