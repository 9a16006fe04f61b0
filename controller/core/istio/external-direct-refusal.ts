/** Why connections to addresses outside the mesh may not leave from the pods themselves. */
import type { Sidecar } from '../mesh-policy.ts';
import type { ServicePort } from '../model.ts';
import { AddressRanges } from '../registry/address-ranges.ts';
import type { ExternalDirectSettings } from './external-direct-settings.ts';
import { type IstioSettings, MESH_CONFIG } from './settings.ts';

export interface ExternalDirectRefusal {
  readonly reason: 'MeshConfigUnknown' | 'RegistryOnly' | 'OutsideMeshRanges' | 'PortTaken';
  /** Names the object and the field, and says what to do. */
  readonly message: string;
}

/** Something with addresses, as messages name it: `Pod shop/cart-0`. */
export interface Addressed {
  readonly object: string;
  readonly addresses: readonly string[];
}

/** A host of ServiceEntries that are not ours. */
export interface EntryHost extends Addressed {
  readonly ports: readonly ServicePort[];
}

/** What is asked of the registry. */
export interface ExternalDirectView {
  /** Of the mesh config; `undefined`: it is not known. */
  isRegistryOnly(): boolean | undefined;
  sidecarsIn(namespace: string): Iterable<Sidecar>;
  readonly httpPorts: ReadonlySet<number>;
  /** Services, pods, nodes. */
  addressed(): Iterable<Addressed>;
  entryHosts(): Iterable<EntryHost>;
  /** Headless Services with ports that declare no protocol. */
  undeclaredHeadless(): Iterable<EntryHost>;
}

const FLAG = '--external-direct-ports';

/**
 * The first thing that refuses it.
 * @param namespaces where somebody is lazy: eager pods there see the ports too
 */
export function externalDirectRefusal(
  view: ExternalDirectView,
  { externalDirect: setting, rootNamespace }: IstioSettings,
  namespaces: Iterable<string>,
): ExternalDirectRefusal | undefined {
  if (!setting) return undefined;
  return registryOnly(view, [rootNamespace, ...namespaces]) ?? takenPort(view, setting) ?? outside(view, setting);
}

/** @param namespaces the root namespace first: its config and its Sidecar are everybody's */
function registryOnly(view: ExternalDirectView, namespaces: readonly string[]): ExternalDirectRefusal | undefined {
  const config = `ConfigMap ${namespaces[0]}/${MESH_CONFIG}`;
  const isRegistryOnly = view.isRegistryOnly();
  if (isRegistryOnly === undefined) {
    const message = `${config} cannot be read, which tells whether the mesh is REGISTRY_ONLY: apply the manifests`;
    return { reason: 'MeshConfigUnknown', message };
  }
  const sidecars = namespaces.flatMap((namespace) => [...view.sidecarsIn(namespace)]);
  const sidecar = sidecars.find((one) => one.isRegistryOnly && !one.managed);
  const object = isRegistryOnly ? config : sidecar && `Sidecar ${sidecar.namespace}/${sidecar.name}`;
  if (object === undefined) return undefined;
  const what = `${object} has outboundTrafficPolicy.mode REGISTRY_ONLY`;
  return {
    reason: 'RegistryOnly',
    message: `${what}: what leaves from pods would not be held to it; take ${FLAG} away`,
  };
}

/** The first chain that fits an address wins, whatever the connection says: names would not be looked at any more. */
function takenPort(view: ExternalDirectView, { ports }: ExternalDirectSettings): ExternalDirectRefusal | undefined {
  const http = ports.find((port) => view.httpPorts.has(port));
  if (http !== undefined) {
    return taken(http, 'it is an HTTP port of the mesh, where every request goes its own way');
  }
  for (const { object, addresses, ports: own } of view.entryHosts()) {
    const port = addresses.length === 0 ? shared(own, ports) : undefined;
    if (port !== undefined) return taken(port, `${object} has it and no address: it is told apart by name alone`);
  }
  for (const { object, ports: own } of view.undeclaredHeadless()) {
    const port = shared(own, ports);
    if (port !== undefined) return taken(port, `${object} is headless and declares no protocol on it`);
  }
  return undefined;
}

function shared(own: readonly ServicePort[], ports: readonly number[]): number | undefined {
  return own.find(({ port }) => ports.includes(port))?.port;
}

function taken(port: number, why: string): ExternalDirectRefusal {
  return { reason: 'PortTaken', message: `port ${port}: ${why}; take it out of ${FLAG}` };
}

/** An address of the mesh that no range holds would be dialled past the egress, and past mTLS. */
function outside(view: ExternalDirectView, setting: ExternalDirectSettings): ExternalDirectRefusal | undefined {
  const ranges = new AddressRanges<number>();
  for (const range of setting.meshRanges) ranges.add(range, prefixOf(range));
  for (const { object, addresses } of view.addressed()) {
    const address = addresses.find((one) => !isWithin(ranges, one));
    if (address !== undefined) return missing(object, address);
  }
  for (const { object, addresses, ports } of view.entryHosts()) {
    const address = addresses.find((one) => !isWithin(ranges, one));
    if (address !== undefined && shared(ports, setting.ports) !== undefined) return missing(object, address);
  }
  return undefined;
}

function missing(object: string, address: string): ExternalDirectRefusal {
  const message = `${object} has address ${address}, which is in none of --mesh-ranges: add its range`;
  return { reason: 'OutsideMeshRanges', message };
}

/** @param block an address or a CIDR block */
function isWithin(ranges: AddressRanges<number>, block: string): boolean {
  const [address = ''] = block.split('/');
  return ranges.around(address).some((length) => length <= prefixOf(block));
}

function prefixOf(block: string): number {
  return Number(block.split('/')[1] ?? 128);
}
