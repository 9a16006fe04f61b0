import type { AccessLogEntry } from '../model.ts';
import type { Dialect, Registry } from '../registry/registry.ts';
import { type Attribution, attribute } from './attribution.ts';
import { attributeInIstio, type IstioAttributionView } from './istio-attribution.ts';

/** Attributes entries by what a registry knows at that moment, as the sidecars of a mode route. */
export function attributor(registry: Registry, dialect: Dialect): (entry: AccessLogEntry) => Attribution {
  const view = viewOf(registry);
  return dialect === 'istio' ? (entry) => attributeInIstio(entry, view) : (entry) => attribute(entry, view);
}

function viewOf(registry: Registry): IstioAttributionView {
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
