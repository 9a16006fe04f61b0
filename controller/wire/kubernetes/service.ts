/** v1 Service. https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/ */
import { z } from 'zod';
import { asAddresses } from '../../core/addresses.ts';
import type { ServicePort } from '../../core/model.ts';
import { addressSchema } from './address.ts';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { istioPortProtocol, portProtocol } from './protocol.ts';
import { RecurringValues } from './recurring-values.ts';
import { type Converted, kindReader, type ReduceOptions } from './reduction.ts';

/** A port number that can be connected to. */
export const portNumberSchema = z.int().min(1).max(65535);

const portSchema = z.object({
  name: z.string().nullish(),
  port: portNumberSchema,
  targetPort: z.union([z.int().min(0).max(65535), z.string()], 'expected a port number or a port name').nullish(),
  protocol: z.string().nullish(),
  appProtocol: z.string().nullish(),
});

const HEADLESS = 'None';
const clusterIPSchema = z.union([z.literal(''), z.literal(HEADLESS), addressSchema], {
  error: ({ input }) => `expected an IPv4 or IPv6 address or None, received ${JSON.stringify(input)}`,
});

/** Names become hosts: Envoy would read a `*` as a wildcard, and refuse every route of the port for two alike. */
const A_LABEL = 'expected a DNS label in lower case, as the API server requires it';
const labelSchema = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, A_LABEL);

const serviceSchema = z.object({
  metadata: metadataSchema.extend({
    name: labelSchema,
    namespace: z.union([z.literal(''), labelSchema], A_LABEL).nullish(),
  }),
  spec: z
    .object({
      type: z.string().nullish(),
      clusterIP: clusterIPSchema.nullish(),
      clusterIPs: z.array(clusterIPSchema).nullish(),
      ports: z.array(portSchema).nullish(),
    })
    .refine((spec) => spec.type === 'ExternalName' || spec.clusterIP || spec.clusterIPs?.length, {
      path: ['clusterIP'],
      message: 'expected an address or None, as the API server fills it in: give what `kubectl get` prints',
    }),
});

/** Only istiod finds out what a port does not declare, so a mesh with `Auto` ports is one of istiod's. */
function protocolOf(port: z.infer<typeof portSchema> & { readonly name: string }, { undeclared }: ReduceOptions) {
  return undeclared === 'Auto' ? istioPortProtocol(port) : portProtocol(port, undeclared ?? 'TCP');
}

function toPort(port: z.infer<typeof portSchema>, options: ReduceOptions): ServicePort {
  const name = port.name ?? '';
  return {
    name,
    port: port.port,
    // Kubernetes reads 0 and '' as "not specified".
    ...(port.targetPort ? { targetPort: port.targetPort } : {}),
    protocol: protocolOf({ ...port, name }, options),
  };
}

/** An absent `protocol` is TCP; UDP and SCTP do not pass through sidecars. */
export function isTcp(port: { readonly protocol?: string | null | undefined }): boolean {
  return (port.protocol ?? 'TCP') === 'TCP';
}

const ports = new RecurringValues<readonly ServicePort[]>();

function toService({ metadata, spec }: z.infer<typeof serviceSchema>, options: ReduceOptions): Converted {
  if (spec.type === 'ExternalName') return { ignored: 'an ExternalName Service has no address of its own' };
  const namespace = namespaceOf(metadata);
  const declared = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ''];
  const clusterIPs = declared.filter((address) => address !== HEADLESS && address !== '');
  return {
    object: {
      kind: 'Service',
      namespace,
      name: metadata.name,
      host: [metadata.name, namespace, 'svc', options.clusterDomain].join('.'),
      clusterIPs: asAddresses(clusterIPs),
      headless: clusterIPs.length === 0,
      ports: ports.same((spec.ports ?? []).filter(isTcp).map((port) => toPort(port, options))),
    },
  };
}

/** Reads a v1 Service. */
export const readService = kindReader('Service', serviceSchema, toService);
