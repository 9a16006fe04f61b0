/** discovery.k8s.io/v1 EndpointSlice. */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import type { EndpointSlice } from '../../core/model.ts';
import { type EndpointAddresses, endpointText } from '../../core/registry/endpoint-text.ts';
import { addressSchema } from './address.ts';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { RecurringValues } from './recurring-values.ts';
import { type Converted, kindReader } from './reduction.ts';
import { isTcp, portNumberSchema } from './service.ts';

const SERVICE_LABEL = 'kubernetes.io/service-name';

const common = {
  metadata: metadataSchema.extend({ labels: z.object({ [SERVICE_LABEL]: z.string().nullish() }).nullish() }),
  ports: z
    .array(z.object({ name: z.string().nullish(), port: portNumberSchema.nullish(), protocol: z.string().nullish() }))
    .nullish(),
};

const endpointSchema = z.object({
  addresses: z.array(addressSchema),
  conditions: z.object({ ready: z.boolean().nullish() }).nullish(),
});

/** Go writes an empty list of endpoints as null. */
const endpointsSchema = z.array(endpointSchema).nullish();

/**
 * The endpoints as one text. Nearly all objects of a large mesh are endpoints, and hardly any is wrong: those whose
 * addresses stand there as they should are taken without the schema, which takes ten times as long.
 */
const endpointTextSchema = z.unknown().transform((value, context) => {
  const plain = plainEndpoints(value);
  if (plain) return endpointText(plain);
  const { data, error } = endpointsSchema.safeParse(value);
  for (const { path, message } of error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
  return endpointText((data ?? []).map(toEndpoint));
});

const addressedSchema = z.object({ ...common, addressType: z.enum(['IPv4', 'IPv6']), endpoints: endpointTextSchema });
const namedSchema = z.object({ ...common, addressType: z.literal('FQDN') });
const endpointSliceSchema = z.discriminatedUnion('addressType', [addressedSchema, namedSchema], {
  error: () => 'expected IPv4, IPv6 or FQDN',
});

/** @returns `undefined` where anything is not as usual, and has to be looked at */
function plainEndpoints(value: unknown): EndpointAddresses[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const endpoints: EndpointAddresses[] = [];
  for (const item of value as readonly unknown[]) {
    const addresses = property(item, 'addresses');
    const conditions = property(item, 'conditions') ?? undefined;
    const ready = property(conditions, 'ready') ?? true;
    if (!Array.isArray(addresses) || !addresses.every(isPlainIPv4)) return undefined;
    if ((conditions !== undefined && typeof conditions !== 'object') || typeof ready !== 'boolean') return undefined;
    endpoints.push({ addresses, ready });
  }
  return endpoints;
}

/** Which is canonical as it stands. */
function isPlainIPv4(address: unknown): boolean {
  return typeof address === 'string' && isIPv4(address);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** "nil should be interpreted as true": https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ */
function toEndpoint({ addresses, conditions }: z.infer<typeof endpointSchema>): EndpointAddresses {
  return { addresses, ready: conditions?.ready !== false };
}

const ports = new RecurringValues<EndpointSlice['ports']>();

function toEndpointSlice(slice: z.infer<typeof endpointSliceSchema>): Converted {
  if (slice.addressType === 'FQDN')
    return { ignored: 'endpoints of address type FQDN have names instead of addresses' };
  const service = slice.metadata.labels?.[SERVICE_LABEL];
  if (!service) return { ignored: `no label ${SERVICE_LABEL} says whose endpoints these are` };
  return {
    object: {
      kind: 'EndpointSlice',
      namespace: namespaceOf(slice.metadata),
      name: slice.metadata.name,
      service,
      ports: ports.same(
        (slice.ports ?? []).flatMap((port) =>
          isTcp(port) && port.port ? [{ name: port.name ?? '', port: port.port }] : [],
        ),
      ),
      endpoints: slice.endpoints,
    },
  };
}

/** Reads a discovery.k8s.io/v1 EndpointSlice. */
export const readEndpointSlice = kindReader('EndpointSlice', endpointSliceSchema, toEndpointSlice);
