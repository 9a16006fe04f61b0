/** Text to plain data, as strictly as kubectl: duplicate keys are errors, YAML 1.2 scalars, merge keys allowed. */

import { parseAllDocuments } from 'yaml';
import { reasonOf } from '../core/error.ts';

/** Aliases that one document may use: they are rare in manifests, and what a bomb is made of. */
const MAX_ALIASES = 100;

/** What a text holds, or why it cannot be parsed. */
export type Parsed =
  | { readonly values: readonly unknown[] }
  | {
      readonly failure: string;
      /** Line of the text, from 1, where it is known. */
      readonly line?: number;
    };

/** Whether an alias has no anchor in the text that failed; it may have one in the text around it. */
export function isUnresolvedAlias(failure: string): boolean {
  return failure.startsWith('Unresolved alias');
}

/** Documents of a YAML text; empty ones are left out. */
export function parseYaml(text: string): Parsed {
  try {
    const documents = parseAllDocuments(text, { merge: true, uniqueKeys: true, strict: true });
    const values: unknown[] = [];
    for (const document of 'empty' in documents ? [] : documents) {
      const [error] = document.errors;
      if (error) return failure(error.message, error.linePos?.[0].line);
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
      if (value !== null) values.push(value);
    }
    return { values };
  } catch (error) {
    // Too many aliases, aliases without anchors, and nesting that exhausts the stack are thrown.
    return failure(reasonOf(error));
  }
}

/** The one value of a JSON text. */
export function parseJson(text: string): Parsed {
  try {
    return { values: [JSON.parse(text)] };
  } catch (error) {
    return failure(reasonOf(error));
  }
}

/** The library adds ` at line 3, column 1:` and a picture of the text to its messages; we name the line ourselves. */
function failure(message: string, line?: number): Exclude<Parsed, { values: unknown }> {
  const [sentence = message] = message.split(/ at line \d+, column \d+|\n/);
  return { failure: sentence, ...(line === undefined ? {} : { line }) };
}
