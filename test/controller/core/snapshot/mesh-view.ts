/** A mesh as plain lists, and the snapshots of it, for the tests of snapshots. */
import { createHash } from 'node:crypto';
import type { Endpoint, Scope, ScopedPort, Service, Snapshot } from '../../../../controller/core/model.ts';
import { isHttp } from '../../../../controller/core/model.ts';
import { serviceKey } from '../../../../controller/core/registry/service-index.ts';
import type { MeshView } from '../../../../controller/core/snapshot/mesh-view.ts';
import type { Encoding } from '../../../../controller/core/snapshot/resource-encoder.ts';
import { SnapshotBuilder } from '../../../../controller/core/snapshot/snapshot.ts';
import { encode } from '../../../../controller/wire/messages.ts';
import { egress } from '../resources/services.ts';

let revision = 0;

/** One endpoint behind every port, so that equal services are equal meshes. */
const ENDPOINTS: readonly Endpoint[] = [{ address: '10.0.0.5', port: 8000, ready: true }];

/** A view of the services in this order. */
export function meshView(services: readonly Service[], endpoints = ENDPOINTS): MeshView {
  revision += 1;
  const ports = services.flatMap((service) => service.ports.filter(({ protocol }) => isHttp(protocol)));
  return {
    services: new Map(services.map((service) => [serviceKey(service), service])),
    endpoints: () => endpoints,
    httpPorts: new Set(ports.map(({ port }) => port)),
    revision,
  };
}

/** Real bytes and hashes; `encoded` counts the messages that had to be encoded. */
export function countingEncoding(): { readonly encoding: Encoding; readonly count: { encoded: number } } {
  const count = { encoded: 0 };
  const encoding: Encoding = {
    encode: (type, message) => {
      count.encoded += 1;
      return encode(type, message);
    },
    hash: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  };
  return { encoding, count };
}

/** A builder that encodes as {@link countingEncoding} does. */
export function countingBuilder(dialect: 'direct' | 'istio' = 'direct') {
  const { encoding, count } = countingEncoding();
  return { builder: new SnapshotBuilder({ ...encoding, egress, dialect }), count };
}

export const eager: Scope = { workload: 'shop/Deployment/cart', kind: 'Eager', warm: [], routed: [] };

/** The first port of each service. */
function scopedPorts(services: readonly Service[]): readonly ScopedPort[] {
  return services.flatMap((service) =>
    service.ports.slice(0, 1).map(({ port }) => ({ service: serviceKey(service), port })),
  );
}

/** A lazy scope with the first port of each service. */
export function lazy(routed: readonly Service[], warm: readonly Service[] = []): Scope {
  return { workload: 'shop/Deployment/cart', kind: 'Lazy', warm: scopedPorts(warm), routed: scopedPorts(routed) };
}

/** Names of a snapshot by type, sorted; types without their package. */
export function namesOf(snapshot: Snapshot): Record<string, readonly string[]> {
  return shortened(snapshot, (resources) => [...resources.keys()].sort());
}

/** Versions of a snapshot by type and name. */
export function versionsOf(snapshot: Snapshot): Record<string, Record<string, string>> {
  return shortened(snapshot, (resources) =>
    Object.fromEntries([...resources].map(([name, { version }]) => [name, version])),
  );
}

function shortened<Part>(
  snapshot: Snapshot,
  part: (resources: Snapshot[keyof Snapshot]) => Part,
): Record<string, Part> {
  return Object.fromEntries(
    Object.entries(snapshot).map(([type, resources]) => [type.slice(type.lastIndexOf('.') + 1), part(resources)]),
  );
}
