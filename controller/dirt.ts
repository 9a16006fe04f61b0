import type { WorkloadKey } from './core/model.ts';
import type { DirtyClients } from './core/ports.ts';

/** Collects whom changes concern and tells it once per turn of the event loop, however many changes there were. */
export class Dirt {
  readonly #listeners: ((dirty: DirtyClients) => void)[] = [];
  #all = false;
  #egress = false;
  #workloads = new Set<WorkloadKey>();
  #scheduled = false;

  onDirty(listener: (dirty: DirtyClients) => void): void {
    this.#listeners.push(listener);
  }

  all(): void {
    this.#all = true;
    this.#schedule();
  }

  egress(): void {
    this.#egress = true;
    this.#schedule();
  }

  workload(workload: WorkloadKey): void {
    this.#workloads.add(workload);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    const dirty: DirtyClients = { all: this.#all, egress: this.#all || this.#egress, workloads: this.#workloads };
    this.#scheduled = false;
    this.#all = false;
    this.#egress = false;
    this.#workloads = new Set();
    for (const listener of this.#listeners) listener(dirty);
  }
}
