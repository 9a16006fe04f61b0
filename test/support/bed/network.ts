/**
 * The network of one bed. A bridge in a namespace of its own, so that firewall rules of this machine do not touch what
 * pods send each other; this machine is one more station on it, with the first address.
 *
 *   this machine ──lzs64──┐
 *   pod client   ──eth0───┤ br0 in lzs64-hub      10.64.0.0/16
 *   pod server   ──eth0───┘
 *
 * Nothing forwards: the default route of a pod is the link itself, so an address that no station has stays unreachable.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ipBatch, run } from './command.ts';

/**
 * What a pod's iptables take: `outbound` what its programs dial, `both` also what dials it, `none` nothing.
 * Programs with the user id 1337 (Envoy) dial freely.
 */
export type Interception = 'none' | 'outbound' | 'both';

/** What of a pod's traffic is redirected. */
export interface Capture {
  readonly interception: Interception;
  /** Ports of the pod that are dialled directly also with `both`; Istio's annotation `excludeInboundPorts`. */
  readonly excludedPorts?: readonly number[];
}

/** User id of Envoy, as in Istio: what tells its connections from those of the application. */
export const ENVOY_USER = 1337;

const OUTBOUND_PORT = 15001;
const INBOUND_PORT = 15006;

/** Index of the first address that is for Services; pods are numbered from the start of the /16. */
export const CLUSTER_IPS_FROM = 128 << 8;

/** First part of the name of everything that a bed makes. */
const PREFIX = 'lzs';

/** Names and addresses of bed `number`. */
export class Network {
  readonly number: number;
  /** This machine's address on the bed's network. */
  readonly hostAddress: string;
  readonly #hub: string;
  readonly #pods = new Set<string>();

  constructor(number: number) {
    this.number = number;
    this.hostAddress = this.address(1);
    this.#hub = `${PREFIX}${number}-hub`;
  }

  /** Address `index` (1 to 65,534) of the /16. */
  address(index: number): string {
    return `10.${this.number}.${index >> 8}.${index & 255}`;
  }

  /** Upper half of the /16, whose addresses no pod has. */
  get clusterIPRange(): string {
    return `${this.address(CLUSTER_IPS_FROM)}/17`;
  }

  create(): void {
    run('ip', ['netns', 'add', this.#hub]);
    ipBatch(['link add br0 type bridge', 'link set br0 up'], this.#hub);
    const link = hostLink(this.number);
    ipBatch([
      `link add ${link} type veth peer name host netns ${this.#hub}`,
      `addr add ${this.hostAddress}/16 dev ${link}`,
      `link set ${link} up`,
    ]);
    ipBatch(['link set host master br0 up'], this.#hub);
  }

  /** Makes the namespace of a pod and returns its name. */
  addPod(name: string, address: string, { interception, excludedPorts = [] }: Capture): string {
    const namespace = `${PREFIX}${this.number}-${name}`;
    const link = `pod${this.#pods.size}`;
    run('ip', ['netns', 'add', namespace]);
    this.#pods.add(namespace);
    ipBatch(
      [`link add ${link} type veth peer name eth0 netns ${namespace}`, `link set ${link} master br0 up`],
      this.#hub,
    );
    ipBatch(
      ['link set lo up', `addr add ${address}/16 dev eth0`, 'link set eth0 up', 'route add default dev eth0'],
      namespace,
    );
    if (interception !== 'none') intercept(namespace, { interception, excludedPorts });
    return namespace;
  }
}

/** Istio's rules, reduced to what a bed needs: what Envoy sends, and what stays in the pod, passes. */
function intercept(namespace: string, { interception, excludedPorts }: Required<Capture>): void {
  const rules = [
    `-A OUTPUT -m owner --uid-owner ${ENVOY_USER} -j RETURN`,
    '-A OUTPUT -o lo -j RETURN',
    `-A OUTPUT -p tcp -j REDIRECT --to-ports ${OUTBOUND_PORT}`,
    ...excludedPorts.map((port) => `-A PREROUTING -p tcp --dport ${port} -j RETURN`),
    ...(interception === 'both' ? [`-A PREROUTING -p tcp -j REDIRECT --to-ports ${INBOUND_PORT}`] : []),
  ];
  run('ip', ['netns', 'exec', namespace, 'iptables-restore', '-w'], ['*nat', ...rules, 'COMMIT', ''].join('\n'));
}

function bedNamespaces(number: number): readonly string[] {
  const names = run('ip', ['netns', 'list'])
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  return names.filter((name) => name.startsWith(`${PREFIX}${number}-`));
}

/** This machine's end of the link to bed `number`. */
function hostLink(number: number): string {
  return `${PREFIX}${number}`;
}

function hostLinkExists(number: number): boolean {
  return existsSync(join('/sys/class/net', hostLink(number)));
}

/** Whether something of bed `number` exists. */
export function networkExists(number: number): boolean {
  return bedNamespaces(number).length > 0 || hostLinkExists(number);
}

/**
 * Removes every namespace of bed `number`, after ending the processes that still run in it; bridge and links go with
 * them. To be called only by the holder of the bed's lock.
 */
export function removeNetwork(number: number): void {
  removeHostLink(number);
  for (const namespace of bedNamespaces(number)) {
    for (const pid of run('ip', ['netns', 'pids', namespace]).split('\n').filter(Boolean)) endProcess(Number(pid));
    run('ip', ['netns', 'del', namespace]);
  }
}

/** At once: the kernel takes apart what was in a namespace some time after its end, and the next bed wants the name. */
function removeHostLink(number: number): void {
  if (!hostLinkExists(number)) return;
  try {
    run('ip', ['link', 'del', hostLink(number)]);
  } catch (error) {
    // The kernel may have been quicker.
    if (hostLinkExists(number)) throw error;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}
