import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { SocketAddress } from '../controller/core/model.ts';
import { AddressSet, canonicalAddress } from './address.ts';

/**
 * Loopback, unspecified, multicast, broadcast; `::/96` is both of the first two and obsolete forms of IPv4.
 * Mapped IPv4 is IPv4 here ({@link canonicalAddress}).
 */
export const NEVER_RELAYED_CIDRS: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/96',
  'ff00::/8',
];

/** Cloud metadata lives here; node-local DNS too. */
const LINK_LOCAL = new AddressSet(['169.254.0.0/16', 'fe80::/10']);

export interface NeverRelayOptions {
  /** {@link NEVER_RELAYED_CIDRS}, unless a test relays to itself. */
  readonly cidrs: readonly string[];
  /** Link-local addresses that are relayed all the same. */
  readonly linkLocalAllow: readonly string[];
  /** Addresses of this egress besides those of its network interfaces. */
  readonly ownAddresses: readonly string[];
  /** The controller's host, a name or an address. */
  readonly controllerHost: string;
  /** Ports of this pod that others serve: those of its sidecar. */
  readonly ownPorts?: readonly number[];
}

/** Destinations that this egress must not connect to, whoever asks: itself, the controller, and what is local to it. */
export class NeverRelay {
  readonly #options: NeverRelayOptions;
  readonly #cidrs: AddressSet;
  readonly #linkLocalAllow: AddressSet;
  readonly #ownAddresses: ReadonlySet<string>;
  /** Ports on which this pod listens. */
  readonly #ownPorts: Set<number>;
  #controller: ReadonlySet<string>;

  constructor(options: NeverRelayOptions) {
    this.#options = options;
    this.#ownPorts = new Set(options.ownPorts);
    this.#cidrs = new AddressSet(options.cidrs);
    this.#linkLocalAllow = new AddressSet(options.linkLocalAllow);
    const ofInterfaces = Object.values(networkInterfaces()).flatMap(
      (list) => list?.map(({ address }) => address) ?? [],
    );
    this.#ownAddresses = new Set([...ofInterfaces, ...options.ownAddresses].map(canonicalAddress));
    this.#controller = onlyAddresses([options.controllerHost]);
  }

  /** The egress listens on this port: connecting to it would be a loop. */
  addOwnPort(port: number): void {
    this.#ownPorts.add(port);
  }

  /** Looks the controller's name up again; without an answer the last one stays. */
  async refresh(): Promise<void> {
    if (isIP(this.#options.controllerHost) !== 0) return;
    const found = await lookup(this.#options.controllerHost, { all: true }).catch(() => []);
    if (found.length > 0) this.#controller = onlyAddresses(found.map(({ address }) => address));
  }

  /** @param destination in canonical form */
  has({ address, port }: SocketAddress): boolean {
    if (port === 0 || this.#cidrs.has(address) || this.#controller.has(address)) return true;
    if (LINK_LOCAL.has(address) && !this.#linkLocalAllow.has(address)) return true;
    return this.#ownPorts.has(port) && this.#ownAddresses.has(address);
  }
}

/** A name is none until it has been looked up. */
function onlyAddresses(hosts: readonly string[]): ReadonlySet<string> {
  return new Set(hosts.map(canonicalAddress).filter((host) => isIP(host) !== 0));
}
