import type { Registry } from '../registry/registry.ts';
import type { IstioAttributionView } from './istio-attribution.ts';

/** A registry as attribution sees it, in either mode. */
export function attributionView(registry: Registry): IstioAttributionView {
  const { workloads } = registry;
  return {
    ownerAt: (address, at) => workloads.ownerAt(address, at),
    isNodeAddress: (address) => workloads.isNodeAddress(address),
    hasPod: (address) => workloads.addresses.has(address),
    serviceByHost: (host, namespace) => registry.serviceByHost(host, namespace),
    serviceByClusterIP: (address) => registry.serviceByClusterIP(address),
    headlessByEndpoint: (address, port) => registry.headlessByEndpoint(address, port),
    headlessPorts: (address, port) => registry.headlessPorts(address, port),
    meshHostsByName: (name, namespace) => registry.meshHostsByName(name, namespace),
    meshHostsByAddress: (address, namespace) => registry.meshHostsByAddress(address, namespace),
  };
}
