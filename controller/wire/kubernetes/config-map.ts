/** v1 ConfigMap: its name, and whether it is Istio's mesh config. */
import { parse } from 'yaml';
import { z } from 'zod';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { kindReader } from './reduction.ts';

const configMapSchema = z.object({
  metadata: metadataSchema,
  data: z.object({ mesh: z.string().nullish() }).nullish(),
});

/** https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig; without a mode it is ALLOW_ANY. */
const meshConfigSchema = z
  .object({ outboundTrafficPolicy: z.object({ mode: z.enum(['REGISTRY_ONLY', 'ALLOW_ANY']).nullish() }).nullish() })
  .nullable();

function meshConfig(mesh: string | null | undefined): { readonly isRegistryOnly?: boolean } {
  if (typeof mesh !== 'string') return {};
  const { success, data } = meshConfigSchema.safeParse(parsed(mesh));
  return success ? { isRegistryOnly: data?.outboundTrafficPolicy?.mode === 'REGISTRY_ONLY' } : {};
}

/** What is no YAML is no mesh config either. */
function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a v1 ConfigMap. */
export const readConfigMap = kindReader('ConfigMap', configMapSchema, ({ metadata, data }) => ({
  object: { kind: 'ConfigMap', namespace: namespaceOf(metadata), name: metadata.name, ...meshConfig(data?.mesh) },
}));
