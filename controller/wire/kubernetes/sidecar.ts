/** networking.istio.io Sidecar. https://istio.io/latest/docs/reference/config/networking/sidecar/ */

import { z } from 'zod';
import { canonicalJson } from '../../core/canonical-json.ts';
import { WORKLOAD_ANNOTATION } from '../../core/istio/ownership.ts';
import type { ManagedSidecar } from '../../core/mesh-policy.ts';
import { isManaged, managedLabelsSchema } from './managed.ts';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { kindReader } from './reduction.ts';

const egressSchema = z.looseObject({ port: z.looseObject({}).nullish(), hosts: z.array(z.string()).nullish() });

const sidecarSchema = z.object({
  metadata: metadataSchema.extend({
    labels: managedLabelsSchema,
    annotations: z.object({ [WORKLOAD_ANNOTATION]: z.string().nullish() }).nullish(),
  }),
  spec: z
    .looseObject({
      workloadSelector: z.looseObject({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
      egress: z.array(egressSchema).nullish(),
      outboundTrafficPolicy: z.looseObject({ mode: z.string().nullish() }).nullish(),
    })
    .nullish(),
});

type SidecarShape = z.infer<typeof sidecarSchema>;

/** Our own Sidecar that only probes istiod stands for no workload, and so has no annotation. */
function managed({ metadata, spec }: SidecarShape): { readonly managed?: ManagedSidecar } {
  const workload = metadata.annotations?.[WORKLOAD_ANNOTATION];
  if (!isManaged(metadata.labels) || !workload) return {};
  const entries = spec?.egress ?? [];
  return {
    managed: {
      workload,
      routed: hostsOf(entries.filter(({ port }) => !port)),
      warm: hostsOf(entries.filter(({ port }) => port)),
      spec: canonicalJson(ownFields(spec)),
    },
  };
}

/** What others add beside these is theirs: server-side apply would leave it there, however often we wrote. */
function ownFields(spec: SidecarShape['spec']): object {
  const { workloadSelector, outboundTrafficPolicy, egress } = spec ?? {};
  return { workloadSelector, outboundTrafficPolicy, egress };
}

function hostsOf(entries: readonly z.infer<typeof egressSchema>[]): readonly string[] {
  return [...new Set(entries.flatMap(({ hosts }) => hosts ?? []))].sort();
}

/** Reads a networking.istio.io Sidecar. */
export const readSidecar = kindReader('Sidecar', sidecarSchema, (shape) => {
  const { workloadSelector: selector, outboundTrafficPolicy: policy } = shape.spec ?? {};
  return {
    object: {
      kind: 'Sidecar',
      namespace: namespaceOf(shape.metadata),
      name: shape.metadata.name,
      ...(selector ? { selector: selector.labels ?? {} } : {}),
      ...(policy && policy.mode !== 'ALLOW_ANY' ? { isRegistryOnly: true } : {}),
      ...managed(shape),
    },
  };
});
