/** All files together: one object by name, and what changed since it was last told. */
import { isDeepStrictEqual } from 'node:util';
import type { MeshObject, ObjectRef } from '../core/mesh-object.ts';
import type { Problem } from '../core/ports.ts';
import type { KnownObject, KnownObjects } from './file-objects.ts';

/** The objects of all files, by object name. */
export interface Merged {
  readonly objects: ReadonlyMap<string, MeshObject>;
  /** Pairs of files that hold the same objects. */
  readonly problems: readonly Problem[];
}

interface Candidate {
  readonly file: string;
  readonly known: KnownObject;
}

/** An object that moved is missing in the file it left, so there it yields to the one that has it. */
const isThere = ({ known }: Candidate): boolean => known.doubt?.reason !== 'Missing';

/**
 * Puts the files together. Of an object that several files have, the one of the last file counts.
 * @param files by path, in name order
 */
export function mergeFiles(files: ReadonlyMap<string, KnownObjects>): Merged {
  const winners = new Map<string, Candidate>();
  const repeated = new Map<string, { files: readonly [string, string]; first: string; count: number }>();
  for (const [file, objects] of files) {
    for (const [name, known] of objects) {
      if (known.doubt?.reason === 'Unconfirmed') continue;
      const candidate = { file, known };
      const before = winners.get(name);
      if (before && isThere(before) && isThere(candidate)) {
        const pair = `${before.file}\n${file}`;
        const { first, count } = repeated.get(pair) ?? { first: name, count: 0 };
        repeated.set(pair, { files: [before.file, file], first, count: count + 1 });
      }
      if (!before || isThere(candidate) || !isThere(before)) winners.set(name, candidate);
    }
  }
  return {
    objects: new Map([...winners].map(([name, { known }]) => [name, known.object])),
    problems: [...repeated.values()].map(({ files: [earlier, later], first, count }) => ({
      subject: later,
      reason: `has ${count} object(s) that ${earlier} has too, ${first} for one; those of ${later} count: keep each object in one file`,
    })),
  };
}

/** What is new or different, and what is gone. */
export interface Difference {
  readonly applied: readonly MeshObject[];
  readonly deleted: readonly ObjectRef[];
}

/** From what was told to what is now. Equal objects are no difference, whatever their identity. */
export function difference(told: ReadonlyMap<string, MeshObject>, now: ReadonlyMap<string, MeshObject>): Difference {
  const applied: MeshObject[] = [];
  for (const [name, object] of now) {
    const before = told.get(name);
    if (before !== object && !isDeepStrictEqual(before, object)) applied.push(object);
  }
  const deleted = [...told]
    .filter(([name]) => !now.has(name))
    .map(([, { kind, namespace, name }]) => ({ kind, namespace, name }));
  return { applied, deleted };
}
