/** Tells what happens in the shop, as it happens: from the applications' and from the controller's point of view. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EdgeReport } from '../controller/core/report.ts';
import type { Milestone } from './application.ts';
import type { Shopkeeper, ShopMesh } from './shop-mesh.ts';

const LOOK_EVERY_MS = 20;

const shortWorkload = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
const shortService = (key: string): string => key.slice(key.indexOf('/') + 1).split('.')[0] ?? key;

export class Watcher {
  readonly #mesh: ShopMesh;
  readonly #say: (line: string) => void;
  readonly #states = new Map<string, string>();
  readonly #direct = new Set<string>();
  /** Calls that began through the egress while the controller was up. */
  readonly #timed = new Set<string>();
  readonly #began = performance.now();
  #isWatching = true;
  #isControllerUp = true;
  /**
   * Milliseconds from the first request to the first direct one, of calls that began through the egress while the
   * controller was up.
   */
  readonly millisecondsToDirect: number[] = [];
  readonly #wake = new Set<() => void>();

  constructor(mesh: ShopMesh, say: (line: string) => void) {
    this.#mesh = mesh;
    this.#say = say;
  }

  start(): void {
    for (const shopkeeper of this.#mesh.shopkeepers) void this.#follow(shopkeeper);
    void this.#followController();
  }

  stop(): void {
    this.#isWatching = false;
  }

  /** While it is down, times to the direct path measure the demo, not us. */
  controllerIs(state: 'up' | 'down'): void {
    this.#isControllerUp = state === 'up';
  }

  /** Waits until all these calls were answered directly at least once, and what the controller knows of them is told. */
  async allDirect(shopkeepers: readonly Shopkeeper[]): Promise<void> {
    const expected = shopkeepers.flatMap(({ workload }) =>
      workload.calls.map((call) => `${workload.name} ${call.split(':')[0]}`),
    );
    while (!expected.every((call) => this.#direct.has(call))) {
      await new Promise<void>((resolve) => this.#wake.add(resolve));
    }
    await this.#askController();
  }

  async #follow({ workload, application }: Shopkeeper): Promise<void> {
    while (this.#isWatching && application.process.running) {
      const milestones = await application.call('nextMilestones').catch(() => []);
      for (const milestone of milestones) this.#tell(workload.name, milestone);
    }
  }

  #tell(from: string, milestone: Milestone): void {
    const arrow = `${from} -> ${milestone.to} (${milestone.protocol})`;
    if (milestone.kind === 'Failure') {
      this.#line(`FAILED    ${arrow}: ${milestone.message}`);
      return;
    }
    const after = `${milestone.ms.toFixed(1)} ms after the first request`;
    if (milestone.kind === 'FirstAnswer') {
      // The next milestone says the same.
      if (milestone.path === 'Direct') return;
      const path = milestone.path === 'Egress' ? 'through the egress' : `from ${milestone.from}`;
      this.#line(`answered  ${arrow} ${path}, ${after}`);
      if (this.#isControllerUp) this.#timed.add(arrow);
      return;
    }
    this.#line(`direct    ${arrow}, ${after}`);
    if (this.#timed.has(arrow)) this.millisecondsToDirect.push(milestone.ms);
    this.#direct.add(`${from} ${milestone.to}`);
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }

  async #followController(): Promise<void> {
    while (this.#isWatching) {
      await this.#askController();
      await delay(LOOK_EVERY_MS);
    }
  }

  async #askController(): Promise<void> {
    const edges = this.#isControllerUp ? await this.#mesh.controller.api.edges().catch(() => []) : [];
    for (const edge of edges) this.#tellEdge(edge);
  }

  #tellEdge({ from, to, port, protocol, state }: EdgeReport): void {
    const key = `${from} ${to} ${port} ${protocol}`;
    const before = this.#states.get(key);
    this.#states.set(key, state);
    if (before === state) return;
    const edge = `${shortWorkload(from)} -> ${shortService(to)}:${port} (${protocol})`;
    if (before === undefined) this.#line(`learned   ${edge}`);
    if (state === 'active') this.#line(`pushed    ${edge}: its sidecar holds the cluster`);
    if (state === 'relayed') this.#line(`relayed   ${edge}: stays on the egress`);
  }

  #line(text: string): void {
    this.#say(`${((performance.now() - this.#began) / 1_000).toFixed(2).padStart(7)} s  ${text}`);
  }
}
