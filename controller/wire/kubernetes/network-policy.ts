/** networking.k8s.io/v1 NetworkPolicy: only whom it selects matters. */
import { z } from 'zod';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { kindReader } from './reduction.ts';

const requirementSchema = z.object({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z.array(z.string()).nullish(),
});

const networkPolicySchema = z.object({
  metadata: metadataSchema,
  spec: z
    .object({
      podSelector: z
        .object({
          matchLabels: z.record(z.string(), z.string()).nullish(),
          matchExpressions: z.array(requirementSchema).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

/** Reads a networking.k8s.io/v1 NetworkPolicy. */
export const readNetworkPolicy = kindReader('NetworkPolicy', networkPolicySchema, ({ metadata, spec }) => ({
  object: {
    kind: 'NetworkPolicy',
    namespace: namespaceOf(metadata),
    name: metadata.name,
    podSelector: {
      matchLabels: spec?.podSelector?.matchLabels ?? {},
      matchExpressions: (spec?.podSelector?.matchExpressions ?? []).map(({ key, operator, values }) => ({
        key,
        operator,
        values: values ?? [],
      })),
    },
  },
}));
