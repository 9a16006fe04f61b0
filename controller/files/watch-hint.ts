/** Notifications of the file system, as a hint only: they are lost, doubled and differ by platform, so we poll too. */
import { type FSWatcher, watch } from 'node:fs';

/** Calls back soon after something changed in a folder, or to a file. Says nothing where it cannot watch. */
export class WatchHint {
  readonly #path: string;
  readonly #notify: () => void;
  #watcher: FSWatcher | undefined;

  constructor(path: string, notify: () => void) {
    this.#path = path;
    this.#notify = notify;
  }

  /** Watches, if it does not yet. Cheap to call again: the path may be new, or be back. */
  start(): void {
    if (this.#watcher) return;
    try {
      this.#watcher = watch(this.#path, this.#notify);
      this.#watcher.on('error', () => this.stop());
    } catch {
      // No such path yet, or out of watches: the poll sees everything, only later.
    }
  }

  stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
