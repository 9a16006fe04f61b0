/** Requests that read a collection: its pages, and the changes after a resourceVersion. */
import type { IncomingMessage } from 'node:http';
import { LazyscopeError } from '../core/error.ts';
import { readAnswer } from './answer.ts';
import type { Cluster, ClusterRequest } from './cluster.ts';
import { JsonLines } from './json-lines.ts';
import { metadataOf, property, textProperty } from './object-metadata.ts';
import { type Intent, refusal } from './refusal.ts';
import { collectionPath, qualifiedName, type WatchedResource } from './resources.ts';

/** Objects of a page; the API server's own paging (`kubectl` takes as many). */
const PAGE_SIZE = 500;
/** The server answers within a minute or gives up. */
const LIST_TIMEOUT = 75_000;
/** The body of a refusal comes with its head. */
const REFUSAL_TIMEOUT = 5_000;
/** etcd takes objects up to 1.5 MiB; managed fields and escapes come on top. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const METADATA = 'as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface Reader {
  readonly cluster: Cluster;
  readonly resource: WatchedResource;
  readonly signal: AbortSignal;
}

/** What a chunk of a watch says, in order. */
export interface WatchChunk {
  readonly changes: readonly { readonly type: 'Upserted' | 'Deleted'; readonly object: unknown }[];
  /** Everything up to this resourceVersion has been told. */
  readonly resourceVersion: string;
}

function readRequest({ resource, signal }: Reader, verb: 'list' | 'watch', query: object): ClusterRequest {
  const { only, metadataOnly } = resource;
  const intent: Intent = { verb, resource: qualifiedName(resource), namespace: only?.namespace ?? '' };
  const search = new URLSearchParams({
    ...query,
    ...(only ? { fieldSelector: `metadata.name=${only.name}` } : {}),
  });
  const form = verb === 'list' ? METADATA_LIST : METADATA;
  return {
    method: 'GET',
    path: `${collectionPath(resource, only?.namespace)}?${search}`,
    intent,
    signal,
    ...(metadataOnly ? { headers: { accept: `application/json;${form}` } } : {}),
  };
}

/**
 * Lists everything, page by page, as it is now: without a resourceVersion the server may not answer from a cache that
 * lags behind, which after its restart could take back what we already know.
 * @param onPage called with the objects of each page
 * @returns resourceVersion to watch from
 * @throws LazyscopeError of `refusal`; status 410 when a page came too late: the list must begin anew
 */
export async function list(reader: Reader, onPage: (items: readonly unknown[]) => void): Promise<string> {
  let token = '';
  for (;;) {
    const query = { limit: String(PAGE_SIZE), ...(token === '' ? {} : { continue: token }) };
    const request = { ...readRequest(reader, 'list', query), timeout: LIST_TIMEOUT };
    const answer = await reader.cluster.request(request);
    if (answer.status >= 300) throw refusal(answer, request.intent);
    const items = property(answer.body, 'items');
    const metadata = metadataOf(answer.body);
    if (metadata.resourceVersion === '') throw refusal({ ...answer, body: undefined }, request.intent);
    // Go prints an empty list as null, too.
    onPage(Array.isArray(items) ? items : []);
    if (metadata.continue === '') return metadata.resourceVersion;
    token = metadata.continue;
  }
}

/**
 * Watches until the server or the connection ends it, or until nothing has come for `idleLimit` milliseconds.
 * @param options `seconds`: how long the server is asked to watch
 * @returns what each chunk of the stream says
 * @throws LazyscopeError of `refusal` (status 410: the resourceVersion is too old), `Unavailable`, `InvalidBytes`
 */
export async function* watch(
  reader: Reader,
  options: { readonly resourceVersion: string; readonly seconds: number; readonly idleLimit: number },
): AsyncGenerator<WatchChunk> {
  const { resourceVersion, seconds, idleLimit } = options;
  const timeoutSeconds = String(Math.round(seconds));
  const query = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds };
  const request = readRequest(reader, 'watch', query);
  const response = await reader.cluster.open(request);
  if (response.statusCode !== 200) throw refusal(await readAnswer(response, REFUSAL_TIMEOUT), request.intent);
  yield { changes: [], resourceVersion };
  const timer = setTimeout(() => response.destroy(), idleLimit);
  try {
    yield* chunks(response, request.intent, () => timer.refresh());
  } catch (error) {
    // A connection that broke off, by us or on the way, is just how a watch ends: what matters is the next request.
    if (error instanceof LazyscopeError) throw error;
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}

async function* chunks(response: IncomingMessage, intent: Intent, onByte: () => void): AsyncGenerator<WatchChunk> {
  const lines = new JsonLines(MAX_LINE_BYTES);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    onByte();
    const values = lines.push(chunk);
    const error = values.find((value) => property(value, 'type') === 'ERROR');
    const said = readChanges(error === undefined ? values : values.slice(0, values.indexOf(error)));
    if (said.resourceVersion !== '') yield said;
    if (error !== undefined) throw refusalOf(property(error, 'object'), intent);
  }
}

function readChanges(values: readonly unknown[]): WatchChunk {
  const changes = values.flatMap((value) => {
    const type = textProperty(value, 'type');
    const object = property(value, 'object');
    if (type === 'ADDED' || type === 'MODIFIED') return { type: 'Upserted', object } as const;
    // A bookmark only tells how far we are.
    return type === 'DELETED' ? ({ type: 'Deleted', object } as const) : [];
  });
  return { changes, resourceVersion: metadataOf(property(values.at(-1), 'object')).resourceVersion };
}

/** An error event carries a `Status`. */
function refusalOf(status: unknown, intent: Intent): LazyscopeError {
  const code = property(status, 'code');
  return refusal({ status: typeof code === 'number' ? code : 500, body: status }, intent);
}
