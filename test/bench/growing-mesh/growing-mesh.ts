/** A mesh of one mode, with a lazy and an eager sidecar, that is made larger step by step. */
import type { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';

export interface GrowingMesh {
  /** What is measured, in words. */
  readonly contender: string;
  /** Gives the mesh more unrelated services, up to this many; the control plane knows them when it resolves. */
  grow(services: number): Promise<void>;
  /** Starts both Envoys afresh: memory that was freed is not all given back. They have all they are to get when it resolves. */
  startSidecars(): Promise<{ readonly lazy: EnvoyAdmin; readonly eager: EnvoyAdmin }>;
  stopSidecars(): Promise<void>;
  destroy(): void;
}

/** Distinct HTTP ports, which both sidecars have listeners for at every size: so the slope is that of services alone. */
export const HTTP_PORTS = 200;
const FIRST_HTTP_PORT = 8_000;
/** HTTP nowhere. */
const TCP_PORT = 7_000;

/** Of the one service that declares all the HTTP ports, at every size. */
export function carrierPorts(): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Array.from({ length: HTTP_PORTS }, (_, index) => [`http-${index}`, FIRST_HTTP_PORT + index]),
  );
}

/** Of unrelated service `index`: one in five is TCP. */
export function unrelatedPorts(index: number): Readonly<Record<string, number>> {
  return index % 5 === 4 ? { tcp: TCP_PORT } : { http: FIRST_HTTP_PORT + (index % HTTP_PORTS) };
}

/** Index of the first address of an unrelated service's endpoints, of which it has three; nobody is there. */
const FIRST_ENDPOINT = (120 << 8) + 250;

export function unrelatedEndpoints(address: (index: number) => string): readonly string[] {
  return [0, 1, 2].map((more) => address(FIRST_ENDPOINT + more));
}
