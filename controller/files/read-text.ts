/** The text of one file as mesh objects and problems. */
import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { MeshObject } from '../core/mesh-object.ts';
import type { Problem } from '../core/ports.ts';
import { reduce } from '../wire/kubernetes/reduce.ts';
import { joinReductions, objectName, type ReduceOptions, type Reduction } from '../wire/kubernetes/reduction.ts';
import { isUnresolvedAlias, type Parsed, parseJson, parseYaml } from './parse.ts';
import { type Chunk, splitDocuments, splitItems } from './split.ts';

/** An object as one file has it. */
export interface FileObject {
  readonly object: MeshObject;
  /** Scalars in the document or list item that it came from: a document that was cut short has fewer. */
  readonly leaves: number;
  /** It stands where a half-written file would end. */
  readonly last: boolean;
}

/** What one reading of a file came to. */
export interface FileContent {
  /** By {@link objectName}; of an object that is there twice, the later one. */
  readonly objects: ReadonlyMap<string, FileObject>;
  /** Names of objects that are there but cannot be used. */
  readonly rejected: ReadonlySet<string>;
  /** A part could not be parsed, so nobody knows which objects it holds. */
  readonly partial: boolean;
  /** The text ends in the middle of a line. */
  readonly unterminated: boolean;
  readonly problems: readonly Problem[];
  /** How many objects were left out, by kind. */
  readonly ignored: ReadonlyMap<string, number>;
}

/** What a chunk came to; the same for equal text, so it is kept by the text's hash. */
interface ChunkContent {
  readonly parsed: Reduction;
  readonly leaves: number;
  readonly failure?: string;
  readonly failureLine?: number;
}

/** Results by hash of the text, from one reading of a file to the next. */
export type ChunkCache = ReadonlyMap<string, ChunkContent>;

/** A text to read, and how. */
export interface TextToRead {
  /** Names the file in problems. */
  readonly file: string;
  readonly text: string;
  readonly json: boolean;
  readonly options: ReduceOptions;
  /** From the last reading of the same file. */
  readonly cache: ChunkCache;
}

const NOTHING = joinReductions([]);
/** Longest stretch of work before others get their turn, in milliseconds. */
const SLICE = 20;

function countLeaves(value: unknown): number {
  if (value === null || typeof value !== 'object') return 1;
  return Object.values(value).reduce<number>((sum, item) => sum + countLeaves(item), 0);
}

function contentOf(parsed: Parsed, item: boolean, options: ReduceOptions): ChunkContent {
  if ('failure' in parsed) {
    const line = parsed.line === undefined ? {} : { failureLine: parsed.line };
    return { parsed: NOTHING, leaves: 0, failure: parsed.failure, ...line };
  }
  const values = item ? parsed.values.flat(1) : parsed.values;
  return { parsed: joinReductions(values.map((value) => reduce(value, options))), leaves: countLeaves(values) };
}

/** Parsed strings are slices of the parsed text; without a copy, one object would keep the whole file in memory. */
function copy(text: string): string {
  return Buffer.from(text).toString();
}

/** Reads chunks one by one and remembers what each came to. */
class ChunkReader {
  readonly cache = new Map<string, ChunkContent>();
  readonly #source: TextToRead;
  #sliceStart = performance.now();

  constructor(source: TextToRead) {
    this.#source = source;
  }

  async read(chunk: Chunk): Promise<ChunkContent> {
    const key = hash('sha1', chunk.text);
    const content = this.#source.cache.get(key) ?? this.cache.get(key) ?? this.#parse(chunk);
    this.cache.set(key, content);
    if (performance.now() - this.#sliceStart > SLICE) {
      await setImmediate();
      this.#sliceStart = performance.now();
    }
    return content;
  }

  #parse(chunk: Chunk): ChunkContent {
    const parsed = this.#source.json ? parseJson(chunk.text) : parseYaml(copy(chunk.text));
    return contentOf(parsed, chunk.item, this.#source.options);
  }
}

type ReadChunk = readonly [Chunk, ChunkContent];

/** An item may use an anchor of an item before it; then the list has to be read as a whole. */
async function readDocument(document: Chunk, reader: ChunkReader): Promise<ReadChunk[]> {
  const read: ReadChunk[] = [];
  for (const item of splitItems(document) ?? []) {
    const content = await reader.read(item);
    if (content.failure !== undefined && isUnresolvedAlias(content.failure))
      return [[document, await reader.read(document)]];
    read.push([item, content]);
  }
  return read.length > 0 ? read : [[document, await reader.read(document)]];
}

/** Reads a text. Yields to the event loop now and then, since a large file takes seconds. Never rejects. */
export async function readText(source: TextToRead): Promise<{ content: FileContent; cache: ChunkCache }> {
  const reader = new ChunkReader(source);
  const whole = { document: 1, line: 1, text: source.text, item: false };
  const documents = source.json ? [whole] : splitDocuments(source.text);
  const read: ReadChunk[] = [];
  for (const document of documents) read.push(...(await readDocument(document, reader)));
  return { content: assemble(source, read), cache: reader.cache };
}

function assemble(source: TextToRead, read: readonly ReadChunk[]): FileContent {
  const objects = new Map<string, FileObject>();
  const problems: Problem[] = [];
  const ignored = new Map<string, number>();
  for (const [chunk, content] of read) {
    const subject = `${source.file}, document ${chunk.document}`;
    problems.push(...chunkProblems(subject, chunk, content));
    for (const object of content.parsed.objects) {
      const name = objectName(object);
      if (objects.has(name)) problems.push({ subject: `${subject}: ${name}`, reason: REPEATED });
      objects.set(name, { object, leaves: content.leaves, last: !source.json && chunk === read.at(-1)?.[0] });
    }
    for (const { kind } of content.parsed.ignored) ignored.set(kind, (ignored.get(kind) ?? 0) + 1);
  }
  return {
    objects,
    rejected: new Set(read.flatMap(([, { parsed }]) => parsed.rejected.map(objectName))),
    partial: read.some(([, content]) => content.failure !== undefined || content.parsed.unnamed > 0),
    unterminated: !source.json && source.text !== '' && !source.text.endsWith('\n'),
    problems,
    ignored,
  };
}

const REPEATED = 'stands in this file twice, the later one counts: remove one';

function chunkProblems(subject: string, chunk: Chunk, content: ChunkContent): Problem[] {
  if (content.failure !== undefined) {
    const line = content.failureLine === undefined ? '' : `line ${chunk.line + content.failureLine - 1}: `;
    const reason = `${line}${content.failure}; until this is corrected, objects that the file had before are kept`;
    return [{ subject, reason }];
  }
  const place = chunk.item ? `, item at line ${chunk.line}` : '';
  return content.parsed.problems.map((problem) => ({
    subject: `${subject}${place}: ${problem.subject}`,
    reason: problem.reason,
  }));
}
