/** v1 Pod. */
import { z } from 'zod';
import { asAddresses } from '../../core/addresses.ts';
import type { Labels, Owner } from '../../core/model.ts';
import { addressSchema } from './address.ts';
import { controllerOwner, metadataSchema, namespaceOf, ownerReferencesSchema, timeSchema } from './metadata.ts';
import { MODE_ANNOTATION, readMode } from './mode.ts';
import { RecurringValues } from './recurring-values.ts';
import { type Converted, kindReader, objectName } from './reduction.ts';

/** Istio's gateway injection and the Gateway API's deployments. */
const GATEWAY_LABELS = ['gateway.networking.k8s.io/gateway-name', 'gateway.istio.io/managed'];
const INJECTED_TEMPLATE = 'inject.istio.io/templates';
const AMBIENT_ANNOTATION = 'ambient.istio.io/redirection';

const podAnnotationsSchema = z
  .object({
    [MODE_ANNOTATION]: z.string().nullish(),
    [AMBIENT_ANNOTATION]: z.string().nullish(),
    [INJECTED_TEMPLATE]: z.string().nullish(),
  })
  .nullish();

const podSchema = z.object({
  metadata: metadataSchema.extend({
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: podAnnotationsSchema,
    ownerReferences: ownerReferencesSchema,
    creationTimestamp: timeSchema.nullish(),
  }),
  spec: z.object({ hostNetwork: z.boolean().nullish(), serviceAccountName: z.string().nullish() }).nullish(),
  status: z
    .object({
      phase: z.string().nullish(),
      podIP: z.preprocess((text) => text || undefined, addressSchema.optional()),
      podIPs: z.array(z.object({ ip: addressSchema })).nullish(),
      startTime: timeSchema.nullish(),
    })
    .nullish(),
});

type PodShape = z.infer<typeof podSchema>;

const labels = new RecurringValues<Labels>();
const owners = new RecurringValues<{ readonly owner?: Owner }>();

function addresses(status: PodShape['status']): string[] {
  if (status?.podIPs?.length) return status.podIPs.map(({ ip }) => ip);
  return status?.podIP ? [status.podIP] : [];
}

/** What keeps a pod from being an ordinary one with a sidecar. */
function roleOf({ labels, annotations }: PodShape['metadata']): { readonly role?: 'Gateway' | 'Ambient' } {
  if (annotations?.[AMBIENT_ANNOTATION] === 'enabled') return { role: 'Ambient' };
  const isGateway =
    GATEWAY_LABELS.some((label) => labels?.[label] !== undefined) ||
    namesGateway(annotations?.[INJECTED_TEMPLATE]) ||
    namesGateway(labels?.[INJECTED_TEMPLATE]);
  return isGateway ? { role: 'Gateway' } : {};
}

/** Istio takes a list of templates, separated by commas. */
function namesGateway(templates: string | null | undefined): boolean {
  return templates?.split(',').some((template) => template.trim() === 'gateway') ?? false;
}

/** A pod with a deletionTimestamp still runs and still owns its address, so the mark changes nothing. */
function toPod({ metadata, spec, status }: PodShape): Converted {
  const namespace = namespaceOf(metadata);
  const { name } = metadata;
  const { mode, problems } = readMode(metadata.annotations, objectName({ kind: 'Pod', namespace, name }));
  const startedAt = status?.startTime ?? metadata.creationTimestamp;
  return {
    object: {
      // What every pod has comes first: V8 keeps what follows a spread outside of the object.
      kind: 'Pod',
      namespace,
      name,
      addresses: asAddresses(addresses(status)),
      hostNetwork: spec?.hostNetwork === true,
      finished: status?.phase === 'Succeeded' || status?.phase === 'Failed',
      labels: labels.same(metadata.labels ?? {}),
      serviceAccount: spec?.serviceAccountName || 'default',
      ...owners.same(controllerOwner(metadata.ownerReferences)),
      ...(startedAt === undefined || startedAt === null ? {} : { startedAt }),
      ...mode,
      ...roleOf(metadata),
    },
    problems,
  };
}

/** Reads a v1 Pod. */
export const readPod = kindReader('Pod', podSchema, toPod);
