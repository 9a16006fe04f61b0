/** Between Envoy's discovery messages and the words of the protocol core. */
import type { DeltaRequest, DeltaResponse } from '../core/delta/discovery.ts';
import { RESOURCE_TYPES, type Resource, type ResourceType } from '../core/model.ts';

/** Enough to name some resources and what is wrong with them. It is kept while a client rejects something. */
const LONGEST_ERROR = 2_000;

/** `envoy.service.discovery.v3.DeltaDiscoveryRequest` as decoded; absent fields have protobuf's defaults. */
interface DeltaDiscoveryRequest {
  readonly node?: { readonly id: string } | null;
  readonly type_url: string;
  readonly resource_names_subscribe: readonly string[];
  readonly resource_names_unsubscribe: readonly string[];
  readonly initial_resource_versions: Readonly<Record<string, string>>;
  readonly response_nonce: string;
  readonly error_detail?: { readonly message: string } | null;
}

/** Envoy names its node in the first request of a stream only. */
export function nodeIdOf(message: object): string {
  return (message as DeltaDiscoveryRequest).node?.id ?? '';
}

/** The type URL of a request, whether we serve it or not. */
export function typeUrlOf(message: object): string {
  return (message as DeltaDiscoveryRequest).type_url;
}

/** The request, or nothing if it is for a type that we do not serve. */
export function toRequest(message: object): DeltaRequest | undefined {
  const request = message as DeltaDiscoveryRequest;
  const type = RESOURCE_TYPES.find((known) => known === request.type_url);
  if (type === undefined) return undefined;
  return {
    type,
    subscribe: request.resource_names_subscribe,
    unsubscribe: request.resource_names_unsubscribe,
    initialVersions: new Map(Object.entries(request.initial_resource_versions)),
    nonce: request.response_nonce,
    ...(request.error_detail && { error: clipped(request.error_detail.message, LONGEST_ERROR) }),
  };
}

/** The beginning of a text, as a copy: a slice would keep all of it in memory. */
export function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${Buffer.from(text.slice(0, length)).toString()}…`;
}

/** `envoy.service.discovery.v3.DeltaDiscoveryResponse`, ready to be serialized. */
export function fromResponse(response: DeltaResponse): object {
  return {
    type_url: response.type,
    nonce: response.nonce,
    resources: response.resources.map(wrapped),
    removed_resources: response.removed,
  };
}

/** Many clients get the same resource: its message is made once. */
const wrappers = new WeakMap<Resource, object>();

function wrapped(resource: Resource): object {
  const known = wrappers.get(resource);
  if (known !== undefined) return known;
  const { type, name, version, bytes } = resource;
  const wrapper = { name, version, resource: { type_url: type, value: bytes } };
  wrappers.set(resource, wrapper);
  return wrapper;
}

/** Last word of a type URL, for logs and metrics: `Cluster`. */
export function shortTypeName(type: ResourceType): string {
  return type.slice(type.lastIndexOf('.') + 1);
}
