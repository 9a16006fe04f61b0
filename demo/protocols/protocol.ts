/** One application protocol of the shop: a server that tells each caller from which address it was reached. */

/** Where a client calls: the service's address, and the name that it says. */
export interface Target {
  readonly name: string;
  /** Host, `:authority` or TLS server name. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

export interface ServerKeys {
  readonly key: string;
  readonly cert: string;
}

export interface Protocol {
  /** Serves on all addresses of the pod until the process ends. */
  serve(port: number, keys: ServerKeys): Promise<void>;
  /** Calls once. @returns the address that the server saw: the caller's own when no egress was between */
  client(target: Target): { call(): Promise<string> };
}

/** The server's view of its caller, without the IPv4-mapped prefix. */
export function peerAddress(remoteAddress: string | undefined): string {
  return (remoteAddress ?? '').replace(/^::ffff:/, '');
}
