import { createHash } from 'node:crypto';

/** Names content of any size, to compare what was sent with what arrived. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
