/** Between Envoy's discovery messages and the words of the protocol core. */
import type { DeltaRequest, DeltaResponse } from '../core/delta/discovery.ts';
import { RESOURCE_TYPES, type Resource, type ResourceType } from '../core/model.ts';
import { messageType } from '../wire/messages.ts';

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

const responseType = messageType('envoy.service.discovery.v3.DeltaDiscoveryResponse');

/** A `DeltaDiscoveryResponse` in protobuf: its content, and behind it the nonce, which is each client's own. */
export function encodeResponse(response: DeltaResponse): Buffer {
  const content = isSameContent(last.response, response) ? last.bytes : encodeContent(response);
  last = { response, bytes: content };
  return Buffer.concat([content, responseType.encode({ nonce: response.nonce }).finish()]);
}

/** Many clients get the same, one after the other. */
let last: { readonly response?: DeltaResponse; readonly bytes: Uint8Array } = { bytes: Buffer.alloc(0) };

function isSameContent(a: DeltaResponse | undefined, b: DeltaResponse): boolean {
  return a?.type === b.type && isSameList(a.resources, b.resources) && isSameList(a.removed, b.removed);
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function encodeContent({ type, resources, removed }: DeltaResponse): Uint8Array {
  const content = { type_url: type, resources: resources.map(wrapped), removed_resources: removed };
  return responseType.encode(content).finish();
}

function wrapped({ type, name, version, bytes }: Resource): object {
  return { name, version, resource: { type_url: type, value: bytes } };
}

/** Last word of a type URL, for logs and metrics: `Cluster`. */
export function shortTypeName(type: ResourceType): string {
  return type.slice(type.lastIndexOf('.') + 1);
}
