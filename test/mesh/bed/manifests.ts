/** The objects of `manifests/`, as `kubectl apply -k` would write them. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';

const OVERLAYS = fileURLToPath(new URL('../../../manifests/overlays', import.meta.url));

/** What is read of a kustomization; ours use nothing else, so that they read as what they are. */
interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resources: readonly string[];
}

/**
 * Every object of an overlay (`istio`), in order.
 * @throws Error when a kustomization uses more than `resources`
 */
export function readManifests(overlay: string): readonly KubernetesObject[] {
  return resolve(join(OVERLAYS, overlay));
}

function resolve(path: string): readonly KubernetesObject[] {
  if (!statSync(path).isDirectory()) {
    return parseAllDocuments(readFileSync(path, 'utf8')).map((document): KubernetesObject => document.toJS());
  }
  const file = join(path, 'kustomization.yaml');
  const { apiVersion, kind, resources, ...others }: Kustomization = parse(readFileSync(file, 'utf8'));
  const unknown = Object.keys(others);
  if (kind !== 'Kustomization' || unknown.length > 0) throw new Error(`${file}: not understood: ${kind} ${unknown}`);
  return resources.flatMap((resource) => resolve(join(path, resource)));
}

/** The one object of this kind and name. */
export function manifestOf(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`manifests/ have no ${kind} ${name}`);
  return found;
}
