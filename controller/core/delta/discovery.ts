/** The messages of incremental xDS, reduced to what the protocol core needs, and what it must know of their content. */
import type { Resource, ResourceType } from '../model.ts';

/** One `envoy.service.discovery.v3.DeltaDiscoveryRequest`. */
export interface DeltaRequest {
  readonly type: ResourceType;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Version by name of what the client holds; Envoy fills it in the first request of a type after a reconnect. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** Nonce of the response that this acknowledges or rejects; empty for a spontaneous request. */
  readonly nonce: string;
  /** `error_detail.message`; set exactly when the client rejects the response (NACK). */
  readonly error?: string;
}

/**
 * One `envoy.service.discovery.v3.DeltaDiscoveryResponse`. It carries resources or removals, never both: a client that
 * rejects a response for one bad resource applies nothing of it, and would lose the removals with it.
 */
export interface DeltaResponse {
  readonly type: ResourceType;
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
  readonly nonce: string;
}

/** What a listener or route configuration names. */
export interface References {
  readonly clusters: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
}

/** What the protocol has to know of the bytes that it carries; the shell reads and writes them. */
export interface ResourceCodec {
  /** A RouteConfiguration without virtual hosts; its version is the same for every call. */
  emptyRoute(name: string): Resource;
  /** Asked only while a client lacks a cluster of its snapshot, so it may be slow. */
  references(resource: Resource): References;
}
