/**
 * How many values of one kind are remembered, at most twice. Equal ones come together: lists are sorted by name, and the
 * pods of a rollout follow each other.
 */
const REMEMBERED = 256;

/**
 * Gives equal values one copy: all pods of a workload have the same labels, most services the same ports. Of values that
 * have not come for long the copy is forgotten, so it never grows.
 */
export class RecurringValues<T extends object> {
  #recent = new Map<string, T>();
  #before = new Map<string, T>();

  /** @param value plain data, which nobody changes from now on */
  same(value: T): T {
    const text = JSON.stringify(value);
    const known = this.#recent.get(text) ?? this.#before.get(text) ?? value;
    if (this.#recent.size >= REMEMBERED) [this.#before, this.#recent] = [this.#recent, new Map<string, T>()];
    this.#recent.set(text, known);
    return known;
  }
}
