import type { SocketAddress } from '../../../../controller/core/model.ts';

/** Where a proxy listens, for connections with a PROXY v2 header, and what it leads to. */
export interface Place {
  readonly listen: SocketAddress;
  readonly origin: SocketAddress;
  /** For its configuration. */
  readonly folder: string;
}
