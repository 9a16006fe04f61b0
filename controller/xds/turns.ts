/** Something that does a small piece of work when it is its turn. */
export interface Player {
  turn(): void;
}

const PLAYERS_PER_TICK = 32;

/**
 * Lets players take turns, in the order in which they asked, some per tick of the event loop. Asking twice is asking
 * once. So one client with much to send delays no other, and incoming requests are read in between.
 */
export class Turns {
  readonly #waiting = new Set<Player>();
  #isScheduled = false;

  ask(player: Player): void {
    this.#waiting.add(player);
    this.#schedule();
  }

  leave(player: Player): void {
    this.#waiting.delete(player);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => this.#tick());
  }

  #tick(): void {
    this.#isScheduled = false;
    let left = PLAYERS_PER_TICK;
    for (const player of this.#waiting) {
      this.#waiting.delete(player);
      player.turn();
      left -= 1;
      if (left === 0) break;
    }
    this.#schedule();
  }
}
