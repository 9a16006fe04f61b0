/**
 * A mesh whose services are shared in a known way: one by everybody, one by few, the others by one or two clients each,
 * so that for each change it is known whom it concerns.
 */
import type { EndpointSlice, Pod, Service } from '../../../controller/core/model.ts';
import { pod, service, slice } from '../../support/mesh-objects.ts';

export interface SharedMesh {
  readonly clients: number;
  readonly services: number;
  /** Services that each client uses. */
  readonly dependencies: number;
  /** Of each service. */
  readonly endpoints: number;
}

/** Index of the service that every client uses. */
export const EVERYBODYS = 0;
/** Index of the service that {@link FEW} clients use. */
export const OF_FEW = 1;
export const FEW = 20;
const FIRST_OWN = 2;
const PORT = 80;

/** Indices of the services that a client uses. */
export function usedBy(mesh: SharedMesh, client: number): readonly number[] {
  const shared = client < FEW ? [EVERYBODYS, OF_FEW] : [EVERYBODYS];
  const own = mesh.dependencies - shared.length;
  const others = mesh.services - FIRST_OWN;
  const first = client * mesh.dependencies;
  return [...shared, ...Array.from({ length: own }, (_, more) => FIRST_OWN + ((first + more) % others))];
}

/** Indices of the clients that use each service. */
export function usersOf(mesh: SharedMesh): readonly (readonly number[])[] {
  const users = Array.from({ length: mesh.services }, (): number[] => []);
  for (let client = 0; client < mesh.clients; client += 1) {
    for (const used of usedBy(mesh, client)) users[used]?.push(client);
  }
  return users;
}

/** The pod of a client: each is a workload of its own, the least favourable case for us. */
export function clientPod(index: number): Pod {
  return pod(`client-${index}-0`, address(0, index));
}

export function meshService(index: number): Service {
  return service(`service-${index}`, { [PORT]: 'HTTP' }, { clusterIP: address(96, index) });
}

/**
 * Endpoints of a service.
 * @param variant where the last one has moved to; 0 is where it was. The same rule as `mesh.Variant` of the Go peers
 */
export function meshSlice(mesh: SharedMesh, index: number, variant = 0): EndpointSlice {
  const addresses = Array.from({ length: mesh.endpoints }, (_, more) => address(100, index * mesh.endpoints + more));
  // Sorted as an assignment is. The new address is, as a text, behind all others, so that the last one stays the last.
  addresses.sort();
  if (variant > 0) addresses[addresses.length - 1] = address(255, variant);
  return slice(meshService(index), addresses);
}

/** Name of a service's cluster and load assignment. */
export function meshCluster(index: number): string {
  return `outbound|${PORT}||${meshService(index).host}`;
}

/** Address and port that a client dials. */
export function meshAddress(index: number): string {
  return `${address(96, index)}:${PORT}`;
}

function address(first: number, index: number): string {
  return `10.${first + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}
