/** TCP settings of both sides of a relayed connection. */

const KEEP_ALIVE_DELAY_MS = 30_000;

/** Of a single read by Node. */
export const MAX_READ_BYTES = 65_536;

const common = {
  /** A FIN of one side is passed on; the other may go on sending. */
  allowHalfOpen: true,
  noDelay: true,
  /** A connection may idle for ever, so a dead peer must be found out otherwise. */
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
} as const;

export const serverSocketOptions = {
  ...common,
  /** A paused socket reads no more than it has already begun to: how much waits is decided by the pipe alone. */
  highWaterMark: 1,
} as const;

export const upstreamSocketOptions = {
  ...common,
  /** The pipe decides here too; reading has no queue, and nobody listens to `drain`, which costs a turn for each write. */
  highWaterMark: Number.MAX_SAFE_INTEGER,
} as const;
