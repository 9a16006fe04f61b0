/** Requests that read a collection: its pages, and the changes after a resourceVersion. */
import type { IncomingMessage } from 'node:http';
import { LazyscopeError } from '../core/error.ts';
import { PROTOBUF, protobufList } from '../wire/kubernetes/protobuf.ts';
import { ListStream } from '../wire/kubernetes/protobuf-stream.ts';
import { type Answer, readAnswer, readChunks } from './answer.ts';
import type { Cluster, ClusterRequest } from './cluster.ts';
import { JsonLines } from './json-lines.ts';
import { metadataOf, type ObjectMetadata, property, textProperty } from './object-metadata.ts';
import { describeIntent, type Intent, refusal } from './refusal.ts';
import { collectionPath, qualifiedName, type WatchedResource } from './resources.ts';

/** Objects of a page; the API server's own paging (`kubectl` takes as many). */
const PAGE_SIZE = 500;
/** The server answers within a minute or gives up. */
const LIST_TIMEOUT = 75_000;
/** The body of a refusal comes with its head. */
const REFUSAL_TIMEOUT = 5_000;
/** etcd takes objects up to 1.5 MiB; managed fields and escapes come on top. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const JSON_TYPE = 'application/json';
const METADATA = ';as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = ';as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface Reader {
  readonly cluster: Cluster;
  readonly resource: WatchedResource;
  readonly signal: AbortSignal;
  /** Lists are read in JSON alone: what came as protobuf could not be read. Default: whatever the server has. */
  readonly jsonOnly?: boolean;
}

/** What a chunk of a watch says, in order. */
export interface WatchChunk {
  readonly changes: readonly { readonly type: 'Upserted' | 'Deleted'; readonly object: unknown }[];
  /** Everything up to this resourceVersion has been told. */
  readonly resourceVersion: string;
}

function readRequest(reader: Reader, verb: 'list' | 'watch', query: object): ClusterRequest {
  const { resource, signal } = reader;
  const { only } = resource;
  const intent: Intent = { verb, resource: qualifiedName(resource), namespace: only?.namespace ?? '' };
  const search = new URLSearchParams({
    ...query,
    ...(only ? { fieldSelector: `metadata.name=${only.name}` } : {}),
  });
  return {
    method: 'GET',
    path: `${collectionPath(resource, only?.namespace)}?${search}`,
    intent,
    signal,
    headers: { accept: verb === 'list' ? acceptedList(reader) : acceptedWatch(resource) },
  };
}

/** A list of thousands is a third as long in protobuf, and not a tenth of it is looked at. */
function acceptedList(reader: Reader): string {
  const form = reader.resource.metadataOnly ? METADATA_LIST : '';
  return [...(asksProtobuf(reader) ? [PROTOBUF] : []), JSON_TYPE].map((type) => type + form).join(', ');
}

function asksProtobuf({ resource: { apiVersion, kind, metadataOnly }, jsonOnly = false }: Reader): boolean {
  return !jsonOnly && protobufList(apiVersion, kind, metadataOnly) !== undefined;
}

function acceptedWatch({ metadataOnly }: WatchedResource): string {
  return metadataOnly ? JSON_TYPE + METADATA : JSON_TYPE;
}

/** What a list is read for. */
export interface ListOptions {
  /**
   * Whether nothing is known yet. Then the server may answer from its cache, which is many times as fast and may lag
   * behind by as much as the watch that follows catches up with. Later lists are as things are now: after the server's
   * restart its cache could take back what we already know. As the cache gives all in one page, this is for kinds that are
   * read while they come: a page of JSON is held as a whole.
   */
  readonly isFirst?: boolean;
  /** Called with objects as they come. */
  readonly onItems: (items: readonly unknown[]) => void;
}

/**
 * Lists everything, page by page, or all at once from the server's cache.
 * @returns resourceVersion to watch from
 * @throws LazyscopeError of `refusal`; status 410 when a page came too late: the list must begin anew
 */
export async function list(reader: Reader, { isFirst = false, onItems }: ListOptions): Promise<string> {
  const fromCache = isFirst && asksProtobuf(reader);
  const from: Readonly<Record<string, string>> = fromCache ? { resourceVersion: '0' } : {};
  let page = await readPage(reader, { limit: String(PAGE_SIZE), ...from }, onItems);
  while (page.continue !== '') {
    page = await readPage(reader, { limit: String(PAGE_SIZE), continue: page.continue }, onItems);
  }
  return page.resourceVersion;
}

async function readPage(reader: Reader, query: object, onItems: ListOptions['onItems']): Promise<ObjectMetadata> {
  const { apiVersion, kind, metadataOnly } = reader.resource;
  const request = { ...readRequest(reader, 'list', query), timeout: LIST_TIMEOUT };
  const response = await reader.cluster.open(request);
  const protobuf = protobufList(apiVersion, kind, metadataOnly);
  const isProtobuf = response.headers['content-type']?.startsWith(PROTOBUF) ?? false;
  try {
    if (response.statusCode === 200 && isProtobuf && protobuf) {
      return await readStream(response, new ListStream(protobuf), onItems);
    }
    return readWhole(await readAnswer(response, LIST_TIMEOUT), request.intent, onItems);
  } catch (error) {
    response.destroy();
    throw LazyscopeError.from('Unavailable', describeIntent(request.intent), error);
  }
}

async function readStream(response: IncomingMessage, stream: ListStream, onItems: ListOptions['onItems']) {
  await readChunks(response, LIST_TIMEOUT, (chunk) => {
    const items = stream.push(chunk);
    if (items.length > 0) onItems(items);
  });
  stream.end();
  const metadata = metadataOf(stream);
  if (metadata.resourceVersion === '') throw new Error('the list has no resourceVersion');
  return metadata;
}

function readWhole(answer: Answer, intent: Intent, onItems: ListOptions['onItems']): ObjectMetadata {
  if (answer.status >= 300) throw refusal(answer, intent);
  const items = property(answer.body, 'items');
  const metadata = metadataOf(answer.body);
  if (metadata.resourceVersion === '') throw refusal({ ...answer, body: undefined }, intent);
  // Go prints an empty list as null, too.
  onItems(Array.isArray(items) ? items : []);
  return metadata;
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
