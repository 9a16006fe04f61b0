/** What a {@link TamperingProxy} can do to answers of an API server. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Tampering } from './tampering-proxy.ts';

interface Item {
  readonly metadata: { readonly name: string };
}

/** A list that lacks each item of which `lacks` is true of the name. */
export function lacking(lacks: (name: string) => boolean): Tampering {
  return {
    type: 'Body',
    async *change(body) {
      const list: { readonly items: readonly Item[] } = JSON.parse(await text(body));
      yield JSON.stringify({ ...list, items: list.items.filter(({ metadata: { name } }) => !lacks(name)) });
    },
  };
}

/** A watch of which each line passes as `change` makes it; it is given without a line feed, and needs one of its own. */
export function eachLine(change: (line: string) => string): Tampering {
  return {
    type: 'Body',
    async *change(body) {
      for await (const line of createInterface({ input: Readable.from(body) })) yield change(line);
    },
  };
}

/** A watch that is too old: its history was compacted. @param before done before this is said */
export function tooOld(before: () => Promise<unknown> = async () => undefined): Tampering {
  return {
    type: 'Body',
    async *change() {
      await before();
      yield `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } })}\n`;
    },
  };
}

/** An answer that ends, properly, after its head. */
export const ENDED_AT_ONCE: Tampering = { type: 'Body', async *change() {} };

/** An answer whose second half never comes, though its connection stays open. */
export const STOPPED_HALFWAY: Tampering = {
  type: 'Body',
  async *change(body) {
    const whole = await text(body);
    yield whole.slice(0, whole.length / 2);
    await new Promise(() => undefined);
  },
};
