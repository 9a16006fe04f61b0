/**
 * A test bed: a mesh on one machine. Every pod is a network namespace whose connections iptables redirects to a real
 * Envoy; controller and egress are the real programs. Needs root, iproute2, iptables and util-linux (setpriv).
 *
 *     const bed = await Bed.create();
 *     const mesh = new KubernetesFolder(bed.folder('mesh'));
 *     const egress = bed.egress(); // a pod without Envoy that runs `lazyscope egress`
 *     const controller = bed.controller(mesh, { egress }); // runs `lazyscope controller` on this machine
 *     const cart = bed.pod('cart-0'); // its own network; mesh.apply(podObject(cart)) makes it known
 *     await cart.startEnvoy(await controller.bootstrap(cart));
 *     const client = await cart.load<typeof import('./client.ts')>(new URL('./client.ts', import.meta.url));
 *     await client.call('get', 'http://10.64.200.1/');
 *     bed.destroy(); // also done at exit and on SIGINT, SIGTERM, SIGHUP
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BedProcess, type BedProgram } from './bed-process.ts';
import { Controller, type ControllerOptions } from './controller.ts';
import { Egress } from './egress.ts';
import type { KubernetesFolder } from './kubernetes-folder.ts';
import { BED_NUMBERS, type BedLock, lockAny, tryLock } from './lock.ts';
import { CLUSTER_IPS_FROM, Network, networkExists, removeNetwork } from './network.ts';
import { Pod, type PodOptions } from './pod.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const folderPrefix = (number: number): string => `lazyscope-bed-${number}-`;

export class Bed {
  readonly network: Network;
  readonly #lock: BedLock;
  readonly #folder: string;
  readonly #processes: BedProcess[] = [];
  readonly #onExit = (): void => this.destroy();
  readonly #onSignal = (): void => {
    this.destroy();
    process.exit(130);
  };
  #pods = 0;
  #clusterIPs = 0;
  #destroyed = false;

  private constructor(lock: BedLock) {
    this.#lock = lock;
    this.network = new Network(lock.number);
    this.#folder = mkdtempSync(join(tmpdir(), folderPrefix(lock.number)));
    // Envoy runs as another user and reads its configuration here.
    chmodSync(this.#folder, 0o755);
    process.once('exit', this.#onExit);
    for (const signal of SIGNALS) process.once(signal, this.#onSignal);
  }

  /** Takes a free number and makes its network, after removing what crashed runs left. */
  static async create(): Promise<Bed> {
    await removeLeftovers();
    const bed = new Bed(await lockAny());
    try {
      bed.network.create();
    } catch (error) {
      bed.destroy();
      throw error;
    }
    return bed;
  }

  /** A new folder, removed with the bed. */
  folder(name: string): string {
    const path = join(this.#folder, name);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return path;
  }

  /** Where the output of program `name` goes. */
  logFile(name: string): string {
    return join(this.folder('logs'), `${name}.log`);
  }

  /** An address that no pod has; a Service may have it. */
  clusterIP(): string {
    this.#clusterIPs += 1;
    return this.network.address(CLUSTER_IPS_FROM + this.#clusterIPs);
  }

  pod(name: string, options: PodOptions = {}): Pod {
    this.#pods += 1;
    return new Pod(this, { name, address: this.network.address((1 << 8) + this.#pods), ...options });
  }

  /** Not started yet. */
  controller(mesh: KubernetesFolder, options: ControllerOptions): Controller {
    return new Controller(this, mesh, options);
  }

  /** Not started yet. */
  egress(name = 'egress-0'): Egress {
    return new Egress(this, this.pod(name, { namespace: 'lazyscope', interception: 'none' }));
  }

  start(program: Omit<BedProgram, 'logFile'>): BedProcess {
    const started = new BedProcess({ ...program, logFile: this.logFile(program.name) });
    this.#processes.push(started);
    return started;
  }

  /** Ends every program and removes every trace. `LAZYSCOPE_BED_KEEP` keeps the folder with all logs, until the next bed is made. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    process.off('exit', this.#onExit);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    for (const { running, child } of this.#processes) if (running) child.kill('SIGKILL');
    removeNetwork(this.#lock.number);
    if (process.env['LAZYSCOPE_BED_KEEP'] === undefined) rmSync(this.#folder, { recursive: true, force: true });
    else process.stderr.write(`Kept ${this.#folder}\n`);
    this.#lock.release();
  }
}

async function removeLeftovers(): Promise<void> {
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith('lazyscope-bed-'));
  for (const number of BED_NUMBERS) {
    const left = folders.filter((name) => name.startsWith(folderPrefix(number)));
    if (left.length === 0 && !networkExists(number)) continue;
    const lock = await tryLock(number);
    if (!lock) continue;
    removeNetwork(number);
    for (const name of left) rmSync(join(tmpdir(), name), { recursive: true, force: true });
    lock.release();
  }
}
