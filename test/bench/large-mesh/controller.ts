/** The published controller on a large mesh, with the credentials that a pod of its ServiceAccount is given. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IstioController } from '../../mesh/bed/istio-controller.ts';
import type { IstioMesh } from '../../mesh/bed/istio-mesh.ts';
import { manifestOf, readManifests } from '../../mesh/bed/manifests.ts';
import { answers } from '../../support/bed/http-get.ts';
import { eventually } from '../../support/eventually.ts';
import { inspectable } from '../method/inspector.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A mount namespace of its own, as a container has: nothing of it is seen outside. */
const MOUNT = `mount -t tmpfs none /run && mkdir -p ${MOUNTED} && mount --bind "$1" ${MOUNTED} && shift && exec "$@"`;

export const INSPECTOR_PORT = 19_229;

/**
 * Lets each start of the mesh's controller be what a pod runs: no kubeconfig file, Node with the options of the manifests,
 * and JavaScript unless it is told otherwise.
 */
export async function runAsPod({ bed: { bed, client }, controller }: IstioMesh): Promise<void> {
  process.env['LAZYSCOPE_BIN'] ||= published();
  const folder = bed.folder('controller-service-account');
  writeFileSync(join(folder, 'token'), await client.serviceAccountToken('lazyscope', 'lazyscope-controller'));
  writeFileSync(join(folder, 'ca.crt'), client.access.certificateAuthority);
  const { hostname, port } = new URL(client.access.server);
  controller.environment = {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    NODE_OPTIONS: nodeOptions(),
  };
  controller.wrapper = ['unshare', '--mount', 'sh', '-ec', MOUNT, 'sh', folder];
}

function published(): string {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { stdio: 'inherit' });
  return join(ROOT, 'dist/bin/lazyscope.js');
}

/** Those of the Deployment's container. */
function nodeOptions(): string {
  const deployment = manifestOf(readManifests('istio'), 'Deployment', 'lazyscope-controller') as unknown as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
  };
  const [{ env }] = deployment.spec.template.spec.containers;
  return env.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '';
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

/** Starts it in a way that {@link Inspector} can look into; resolves when it is ready. */
export async function startInspectable(controller: IstioController): Promise<void> {
  const { environment } = controller;
  const { NODE_OPTIONS = '' } = environment;
  controller.environment = { ...environment, NODE_OPTIONS: `${NODE_OPTIONS} ${inspectable(INSPECTOR_PORT)}` };
  launch(controller);
  controller.environment = environment;
  await ready(controller, 60_000);
}

export function launch(controller: IstioController): void {
  controller.launch({}, ['kubeconfig']);
}

/** Resolves when it answers that it is ready, within 5 ms; rejects at once when it has ended. */
export async function ready(controller: IstioController, timeoutMs = 60_000): Promise<void> {
  const isReadyOrOver = async (): Promise<boolean> =>
    !controller.process.running || (await answers(`${controller.url}/readyz`));
  await eventually('the controller is ready', isReadyOrOver, { timeoutMs, intervalMs: 5 });
  controller.process.assertRunning();
}
