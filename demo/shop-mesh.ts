/** A mesh that the shop runs on, whatever its mode: a pod with a real Envoy for each workload, and one that gets everything. */
import type { ApiClient } from '../test/support/bed/api-client.ts';
import type { EnvoyAdmin } from '../test/support/bed/envoy-admin.ts';
import type { Pod } from '../test/support/bed/pod.ts';
import type { RemoteModule } from '../test/support/bed/remote-module.ts';
import type { Call } from './application.ts';
import type { ServerKeys } from './protocols/protocol.ts';
import type { DemoMode } from './settings.ts';
import { callOf, SHOP, type ShopWorkload } from './shop.ts';
import type { Witness } from './witness.ts';

const APPLICATION = new URL('./application.ts', import.meta.url);

type Application = RemoteModule<typeof import('./application.ts')>;

/** One workload, running. */
export interface Shopkeeper {
  readonly workload: ShopWorkload;
  readonly pod: Pod;
  /** Of its sidecar. */
  readonly admin: EnvoyAdmin;
  readonly application: Application;
  readonly calls: readonly Call[];
  readonly witness: Witness;
}

interface ShopController {
  readonly api: ApiClient;
  /** `http://...`, for `lazyscope --server`. */
  readonly url: string;
  /** Starts and waits until it is ready. */
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

export interface ShopMesh {
  readonly mode: DemoMode;
  readonly controller: ShopController;
  readonly shopkeepers: readonly Shopkeeper[];
  /** Of a sidecar whose pod has the annotation `lazyscope.io/mode: Off`: the baseline. */
  readonly eager: EnvoyAdmin;
  readonly services: number;
  /** What the mesh waits for when its controller is back after kill -9, as a sentence. */
  readonly afterKill?: string;
  /** Commands to look at it with, besides those that every mode has. */
  readonly looks: readonly string[];
  /** Resolves when sidecars have exactly what they need for what was learned, which the controller has confirmed. */
  atRest(): Promise<void>;
  destroy(): void;
}

/** What opens the shop. */
export interface ShopPlan {
  /** How many services there are that nobody uses. */
  readonly fillers: number;
  readonly keys: ServerKeys;
  /** Tells what is being done. */
  readonly say: (line: string) => void;
}

export interface Staff extends Pick<Shopkeeper, 'workload' | 'pod' | 'admin' | 'witness'> {
  /** Addresses of the shop's services by name, as DNS would give them. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly keys: ServerKeys;
}

/** Starts what a workload serves; it does not call yet. */
export async function employ({ addresses, keys, ...parts }: Staff): Promise<Shopkeeper> {
  const { workload, pod } = parts;
  const application: Application = await pod.load(APPLICATION);
  await application.call('serve', [...workload.serves], keys);
  return { ...parts, application, calls: workload.calls.map((call) => callOf(call, addresses)) };
}

/** How many services the shop itself has. */
export function shopServices(): number {
  return SHOP.filter(({ serves }) => serves.length > 0).length;
}
