import { parseRequestHead } from './http1-head.ts';
import { HEAD_END, isTooLong, MAX_HEAD_BYTES } from './http1-messages.ts';
import type { Sight } from './route.ts';
import { sniff } from './sniff.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);
/** Enough for any request line and any TLS hello that servers take. */
const MAX_LOOK_BYTES = MAX_HEAD_BYTES;
const TCP: Sight = { protocol: 'TCP' };
/** Host names end at 253 characters; longer ones name nothing and must not fill reports. */
const MAX_HOST_LENGTH = 300;

/** Collects what a client sends first, until it shows what the connection is. */
export class FirstBytes {
  #bytes: Buffer = NO_BYTES;

  /** Everything that was added. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** @returns what the connection is, once that is certain: for HTTP/1 when the head is complete */
  add(chunk: Buffer): Sight | undefined {
    this.#bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, chunk]) : chunk;
    // No more than this is looked at, so that it does not matter how much comes at once.
    const sniffed = sniff(this.#bytes.subarray(0, MAX_LOOK_BYTES));
    if (sniffed?.protocol !== 'HTTP1') return sniffed ?? (this.#bytes.length < MAX_LOOK_BYTES ? undefined : TCP);
    const end = this.#bytes.indexOf(HEAD_END);
    if (end < 0) return isTooLong(this.#bytes.length) ? sniffed : undefined;
    if (end > MAX_HEAD_BYTES) return sniffed;
    const head = parseRequestHead(this.#bytes.toString('latin1', 0, end + 2));
    return head ? { ...sniffed, host: reportableHost(head.host) } : sniffed;
  }

  /** What the connection is, when no more comes: it has fallen silent, or closed. */
  conclude(): Sight {
    return sniff(this.#bytes.subarray(0, MAX_LOOK_BYTES)) ?? TCP;
  }
}

/**
 * The host as it may become part of a key; empty where it cannot be a name. It is a text of its own: a part of another
 * one would keep the whole head in memory, as long as anything names the host.
 */
export function reportableHost(host: string): string {
  return host.length > MAX_HOST_LENGTH ? '' : Buffer.from(host, 'latin1').toString('latin1');
}
