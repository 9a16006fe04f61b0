/**
 * Cuts YAML text into parts that can be parsed one by one, so that a change costs the parts it touches: 10,000
 * Services take seconds to parse, one takes a fraction of a millisecond.
 */

/** A part of a file that is parsed by itself. */
export interface Chunk {
  /** Number of the document in its file, from 1. */
  readonly document: number;
  /** Line of the file where the text begins, from 1. */
  readonly line: number;
  readonly text: string;
  /** The text is one `- item` of a list instead of a document. */
  readonly item: boolean;
}

/** A line of only white space, a comment or a bare document marker. */
const BLANK_LINES = /^(?:(?:---)?[ \t]*(?:#.*)?(?:\r?\n|$))*$/;

/** `---` at the start of a line is a document marker wherever it stands, also in block scalars (YAML 1.2, 9.1.2). */
const DOCUMENT_MARKER = /^(?=---(?:\s|$))/m;

/** How kubectl prints a list: keys in alphabetical order, items not indented. */
const LIST_HEAD = /^(?:---[ \t]*\r?\n)?apiVersion: v1\r?\nitems:\r?\n(?=- )/;
const LIST_TAIL = /^kind: List[ \t]*(?:\r?\n(?:metadata:.*|[ \t].*)?)*$/;
const TAIL_START = '\nkind: List';
/** What stands in column 0 and 1 inside the items; anything else there means another layout. */
const FOREIGN_LINE = /^(?!- | {2}|\r?$)/m;

const lineCount = (text: string): number => text.split('\n').length - 1;

/** Documents of a YAML file in order, without those that hold nothing. */
export function splitDocuments(text: string): Chunk[] {
  // Directives belong to the document after the next marker, so such a file (never seen from kubectl) stays whole.
  const parts = /^%/m.test(text) ? [text] : text.split(DOCUMENT_MARKER);
  const chunks: Chunk[] = [];
  let line = 1;
  for (const part of parts) {
    if (!BLANK_LINES.test(part)) chunks.push({ document: chunks.length + 1, line, text: part, item: false });
    line += lineCount(part);
  }
  return chunks;
}

/**
 * Items of a document that kubectl printed as `kind: List`. `undefined` for every other document, and for a list whose
 * end is missing.
 */
export function splitItems(document: Chunk): Chunk[] | undefined {
  const head = LIST_HEAD.exec(document.text)?.[0];
  const tailStart = document.text.lastIndexOf(TAIL_START) + 1;
  if (head === undefined || tailStart <= head.length) return undefined;
  const body = document.text.slice(head.length, tailStart);
  if (!LIST_TAIL.test(document.text.slice(tailStart)) || FOREIGN_LINE.test(body)) return undefined;
  let line = document.line + lineCount(head);
  return body.split(/^(?=- )/m).map((text) => {
    const chunk = { document: document.document, line, text, item: true };
    line += lineCount(text);
    return chunk;
  });
}
