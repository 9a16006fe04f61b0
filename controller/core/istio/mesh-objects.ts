/** Placeholder and decoy: two Services without endpoints that carry every HTTP port of the mesh. */
import type { Manifest } from '../publishing.ts';
import { MANAGED_BY } from './ownership.ts';
import { DECOY_SERVICE, type IstioSettings, PLACEHOLDER_SERVICE } from './settings.ts';

/** Always there: hosts of VirtualServices that are no services are routed on this port alone. */
const HTTP_PORT = 80;

/** One of the two, with these ports. */
function portsManifest(name: string, ports: Iterable<number>, { namespace }: IstioSettings): Manifest {
  const sorted = [...new Set(ports)].sort((a, b) => a - b);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name, labels: MANAGED_BY },
    spec: {
      ports: sorted.map((port) => ({ name: `http-${port}`, port, targetPort: port, protocol: 'TCP' })),
    },
  };
}

/** What the API server holds of the two, by their ports; `undefined`: it does not exist. */
export interface MeshPorts {
  readonly placeholder: ReadonlySet<number> | undefined;
  readonly decoy: ReadonlySet<number> | undefined;
}

/** Ports that both have: only these may be in a lazy scope. */
export function openPorts({ placeholder, decoy }: MeshPorts): ReadonlySet<number> {
  return new Set([...(placeholder ?? [])].filter((port) => decoy?.has(port)));
}

/**
 * What is to be written so that both carry these ports too. The decoy comes first: a port that only the placeholder has
 * is one on which eager proxies may get lazy routes. Ports are never removed: that would drain their listeners.
 */
export function portWrites(held: MeshPorts, wanted: ReadonlySet<number>, settings: IstioSettings): Manifest[] {
  const all = new Set([HTTP_PORT, ...wanted, ...(held.placeholder ?? []), ...(held.decoy ?? [])]);
  const lacks = (ports: ReadonlySet<number> | undefined): boolean => [...all].some((port) => !ports?.has(port));
  const services = [
    { name: DECOY_SERVICE, ports: held.decoy },
    { name: PLACEHOLDER_SERVICE, ports: held.placeholder },
  ];
  return services.filter(({ ports }) => lacks(ports)).map(({ name }) => portsManifest(name, all, settings));
}
