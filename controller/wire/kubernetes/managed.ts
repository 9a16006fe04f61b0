/** Objects that Lazyscope wrote. */

import { z } from 'zod';
import { canonicalJson } from '../../core/canonical-json.ts';
import { MANAGED_BY_LABEL, MANAGER } from '../../core/istio/ownership.ts';

/** Of an object's metadata: the label by which ours are known. */
export const managedLabelsSchema = z.object({ [MANAGED_BY_LABEL]: z.string().nullish() }).nullish();

/** Whether these are labels of an object of ours. */
export function isManaged(labels: z.infer<typeof managedLabelsSchema>): boolean {
  return labels?.[MANAGED_BY_LABEL] === MANAGER;
}

/** The whole `spec` of an object of ours, to be compared with what it should be; nothing of others'. */
export function managedSpec(
  labels: z.infer<typeof managedLabelsSchema>,
  spec: object,
): { readonly managedSpec?: string } {
  return isManaged(labels) ? { managedSpec: canonicalJson(spec) } : {};
}
