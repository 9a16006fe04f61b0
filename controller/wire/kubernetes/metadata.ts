/** The parts of `metadata` that our kinds share. Fields that Go leaves out when empty may be absent or null. */
import { z } from 'zod';
import type { Owner, Timestamp } from '../../core/model.ts';

/** `metadata.name` and `metadata.namespace`, in every kind. */
export const metadataSchema = z.object({ name: z.string().min(1), namespace: z.string().nullish() });

/** `metadata.ownerReferences`. */
export const ownerReferencesSchema = z
  .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
  .nullish();

/** Namespace of a namespaced object; `default` where none is written, as kubectl does. */
export function namespaceOf(metadata: z.infer<typeof metadataSchema>): string {
  return metadata.namespace || 'default';
}

/** The owner with `controller: true`, as a property to spread; Kubernetes allows one at most. */
export function controllerOwner(references: z.infer<typeof ownerReferencesSchema>): { readonly owner?: Owner } {
  const controller = references?.find((reference) => reference.controller === true);
  return controller ? { owner: { kind: controller.kind, name: controller.name } } : {};
}

/** An RFC 3339 time as milliseconds since the epoch. */
export const timeSchema = z.string().transform((text, context): Timestamp => {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  context.addIssue({ code: 'custom', message: `expected a time such as 2026-01-31T12:00:00Z, received "${text}"` });
  return z.NEVER;
});
