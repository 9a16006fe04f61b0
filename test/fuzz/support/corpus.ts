import { readFileSync } from 'node:fs';

/** How the inputs of a file are written down: text of one byte a character, or hexadecimal. */
export type CorpusEncoding = 'latin1' | 'hex';

/** Inputs that every run tries, by what is peculiar to them: `test/fuzz/corpus/<name>.json`. */
export function readCorpus(name: string, encoding: CorpusEncoding): ReadonlyMap<string, Buffer> {
  const text = readFileSync(new URL(`../corpus/${name}.json`, import.meta.url), 'utf8');
  const inputs = JSON.parse(text) as Record<string, string>;
  return new Map(Object.entries(inputs).map(([title, input]) => [title, Buffer.from(input, encoding)]));
}
