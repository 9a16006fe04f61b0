/** networking.istio.io ServiceEntry. https://istio.io/latest/docs/reference/config/networking/service-entry/ */
import { z } from 'zod';
import type { ServicePort } from '../../core/model.ts';
import { addressRangeSchema, canonicalAddress } from './address.ts';
import { managedLabelsSchema, managedSpec } from './managed.ts';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { namedProtocol } from './protocol.ts';
import { type Converted, kindReader, type ReduceOptions } from './reduction.ts';
import { portNumberSchema } from './service.ts';

const RESOLUTIONS = ['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'] as const;

const portSchema = z.object({
  number: portNumberSchema,
  name: z.string().nullish(),
  protocol: z.string().nullish(),
  targetPort: z.int().min(0).max(65535).nullish(),
});

const serviceEntrySchema = z.object({
  metadata: metadataSchema.extend({ labels: managedLabelsSchema }),
  spec: z.looseObject({
    hosts: z.array(z.string().min(1)),
    addresses: z.array(addressRangeSchema).nullish(),
    ports: z.array(portSchema).nullish(),
    resolution: z.enum(RESOLUTIONS).nullish(),
    exportTo: z.array(z.string()).nullish(),
  }),
  status: z
    .object({ addresses: z.array(z.object({ value: z.string(), host: z.string().nullish() })).nullish() })
    .nullish(),
});

type ServiceEntryShape = z.infer<typeof serviceEntrySchema>;

function toPort(port: z.infer<typeof portSchema>, options: ReduceOptions): ServicePort {
  return {
    name: port.name ?? '',
    port: port.number,
    ...(port.targetPort ? { targetPort: port.targetPort } : {}),
    protocol: namedProtocol(port.protocol ?? '', options.undeclared ?? 'TCP'),
  };
}

/** istiod allocates an address for each host of a ServiceEntry without any, and gives it to clients with DNS capture. */
function allocated({ spec, status }: ServiceEntryShape): { readonly host: string; readonly address: string }[] {
  if (spec.addresses?.length) return [];
  return (status?.addresses ?? []).flatMap(({ host, value }) => {
    const address = canonicalAddress(value);
    return host && address !== undefined ? [{ host: host.toLowerCase(), address }] : [];
  });
}

function toServiceEntry(shape: ServiceEntryShape, options: ReduceOptions): Converted {
  const { metadata, spec } = shape;
  const addresses = allocated(shape);
  return {
    object: {
      kind: 'ServiceEntry',
      namespace: namespaceOf(metadata),
      name: metadata.name,
      hosts: spec.hosts.map((host) => host.toLowerCase()),
      addresses: spec.addresses ?? [],
      ...(addresses.length > 0 ? { allocated: addresses } : {}),
      ports: (spec.ports ?? [])
        .filter(({ protocol }) => protocol?.toUpperCase() !== 'UDP')
        .map((port) => toPort(port, options)),
      resolution: spec.resolution ?? 'NONE',
      ...(spec.exportTo?.length ? { exportTo: spec.exportTo } : {}),
      ...managedSpec(metadata.labels, spec),
    },
  };
}

/** Reads a networking.istio.io ServiceEntry. */
export const readServiceEntry = kindReader('ServiceEntry', serviceEntrySchema, toServiceEntry);
