/** What arrived and was not asked for yet; who asks first waits for it. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: { readonly resolve: (item: T) => void; readonly reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;

  put(item: T): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(item);
    else this.#items.push(item);
  }

  /** Nothing more will come. What came before can still be taken. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async take(): Promise<T> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return item;
    if (this.#failure) throw this.#failure;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}
