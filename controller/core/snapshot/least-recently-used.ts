/** A map that forgets what was asked for longest ago once the sizes add up to more than a limit. */
export class LeastRecentlyUsed<Value> {
  readonly #limit: number;
  readonly #sizeOf: (value: Value) => number;
  /** Oldest first: a Map keeps the order of insertion. */
  readonly #values = new Map<string, Value>();
  #size = 0;

  /** @param limit sum of sizes, in the unit of `sizeOf` */
  constructor(limit: number, sizeOf: (value: Value) => number) {
    this.#limit = limit;
    this.#sizeOf = sizeOf;
  }

  get(key: string, make: () => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) this.#values.delete(key);
    const value = known ?? make();
    this.#values.set(key, value);
    if (known === undefined) {
      this.#size += this.#sizeOf(value);
      this.#shrink();
    }
    return value;
  }

  #shrink(): void {
    for (const [key, value] of this.#values) {
      if (this.#size <= this.#limit) return;
      this.#values.delete(key);
      this.#size -= this.#sizeOf(value);
    }
  }
}
