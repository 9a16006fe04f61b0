/** networking.istio.io VirtualService. https://istio.io/latest/docs/reference/config/networking/virtual-service/ */
import { z } from 'zod';
import { fqdn } from './host-name.ts';
import { managedLabelsSchema, managedSpec } from './managed.ts';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { kindReader } from './reduction.ts';

/** The reserved gateway name that means all sidecars. */
const MESH = 'mesh';

const virtualServiceSchema = z.object({
  metadata: metadataSchema.extend({ labels: managedLabelsSchema }),
  spec: z.looseObject({
    hosts: z.array(z.string().min(1)).nullish(),
    gateways: z.array(z.string()).nullish(),
    http: z.array(z.unknown()).nullish(),
    exportTo: z.array(z.string()).nullish(),
  }),
});

/** Reads a networking.istio.io VirtualService. One without hosts is a delegate: others name it, no client does. */
export const readVirtualService = kindReader(
  'VirtualService',
  virtualServiceSchema,
  ({ metadata, spec }, { clusterDomain }) => {
    const namespace = namespaceOf(metadata);
    return {
      object: {
        kind: 'VirtualService',
        namespace,
        name: metadata.name,
        hosts: (spec.hosts ?? []).map((host) => fqdn(host, namespace, clusterDomain)),
        isMesh: !spec.gateways?.length || spec.gateways.includes(MESH),
        routesHttp: (spec.http ?? []).length > 0,
        ...(spec.exportTo?.length ? { exportTo: spec.exportTo } : {}),
        ...managedSpec(metadata.labels, spec),
      },
    };
  },
);
