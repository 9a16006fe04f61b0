/** Istio's CustomResourceDefinitions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import { eventually } from '../../support/eventually.ts';
import type { KubernetesClient } from './kubernetes-client.ts';

interface Definition extends KubernetesObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/**
 * Writes them and waits until the API server serves every kind.
 * @param servers folder of the built istiod, where its file of definitions is
 */
export async function applyCrds(client: KubernetesClient, servers: string): Promise<void> {
  const text = readFileSync(join(servers, 'crd-all.gen.yaml'), 'utf8');
  const definitions = parseAllDocuments(text).flatMap((document): Definition[] => document.toJS() ?? []);
  await Promise.all(definitions.map((definition) => client.apply(definition)));
  for (const { spec } of definitions) {
    const version = spec.versions.find(({ served }) => served)?.name;
    const reference = { apiVersion: `${spec.group}/${version}`, kind: spec.names.kind, metadata: { name: '' } };
    await eventually(`the API server serves ${spec.names.kind}`, () => client.path(reference));
  }
}
