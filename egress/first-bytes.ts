import { parseRequestHead } from './http1-head.ts';
import { MAX_HEAD_BYTES } from './http1-messages.ts';
import type { Sight } from './route.ts';
import { sniff } from './sniff.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
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
    const sniffed = sniff(this.#bytes);
    const isFull = this.#bytes.length > MAX_HEAD_BYTES;
    if (sniffed?.protocol !== 'HTTP1') return sniffed ?? (isFull ? TCP : undefined);
    const end = this.#bytes.indexOf(HEAD_END);
    if (end < 0) return isFull ? sniffed : undefined;
    const head = parseRequestHead(this.#bytes.toString('latin1', 0, end + 2));
    return head ? { ...sniffed, host: reportableHost(head.host) } : sniffed;
  }

  /** What the connection is, when no more comes: it has fallen silent, or closed. */
  conclude(): Sight {
    return sniff(this.#bytes) ?? TCP;
  }
}

/** The host as it may become part of a key; empty where it cannot be a name. */
export function reportableHost(host: string): string {
  return host.length > MAX_HOST_LENGTH ? '' : host;
}
