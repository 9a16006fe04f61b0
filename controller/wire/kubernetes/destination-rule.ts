/** networking.istio.io DestinationRule. https://istio.io/latest/docs/reference/config/networking/destination-rule/ */
import { z } from 'zod';
import { fqdn } from './host-name.ts';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { kindReader } from './reduction.ts';

const destinationRuleSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({
    host: z.string().min(1),
    trafficPolicy: z
      .object({
        proxyProtocol: z.object({ version: z.enum(['V1', 'V2']).nullish() }).nullish(),
        tls: z.object({ mode: z.enum(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']).nullish() }).nullish(),
      })
      .nullish(),
  }),
});

/** Reads a networking.istio.io DestinationRule. An enum that is left out has the protobuf default. */
export const readDestinationRule = kindReader(
  'DestinationRule',
  destinationRuleSchema,
  ({ metadata, spec }, { clusterDomain }) => {
    const namespace = namespaceOf(metadata);
    const { proxyProtocol, tls } = spec.trafficPolicy ?? {};
    return {
      object: {
        kind: 'DestinationRule',
        namespace,
        name: metadata.name,
        host: fqdn(spec.host, namespace, clusterDomain),
        ...(proxyProtocol ? { proxyProtocol: proxyProtocol.version ?? 'V1' } : {}),
        ...(tls ? { tls: tls.mode ?? 'DISABLE' } : {}),
      },
    };
  },
);
