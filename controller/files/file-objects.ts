/**
 * What one file contributes, from reading to reading. Nothing is taken away on the word of one reading: an object that
 * is missing, or looks cut short, stays as it was until a second look (DESIGN section 7).
 */
import { isDeepStrictEqual } from 'node:util';
import type { MeshObject } from '../core/model.ts';
import type { FileContent, FileObject } from './read-text.ts';

/** An object that a file has, or had until lately. */
export interface KnownObject {
  readonly object: MeshObject;
  readonly leaves: number;
  /** When a reading first missed it or found it cut short, in milliseconds of the caller's clock. */
  readonly doubtedSince?: number;
  /** The doubt is that it is missing. */
  readonly missing?: boolean;
}

/** By object name. */
export type KnownObjects = ReadonlyMap<string, KnownObject>;

/** When a file was read, and how long a doubt has to last. Milliseconds. */
export interface Look {
  readonly now: number;
  readonly secondLook: number;
}

/** The content of a file that is no longer there. */
export const NO_CONTENT: FileContent = {
  objects: new Map(),
  rejected: new Set(),
  partial: false,
  unterminated: false,
  problems: [],
  ignored: new Map(),
};

/**
 * A half-written file ends early, maybe in the middle of a word. So a change to its last object is in doubt if that
 * has lost something or if its last line has no end.
 */
function looksCutShort(found: FileObject, known: KnownObject, content: FileContent): boolean {
  if (!found.last || (found.leaves >= known.leaves && !content.unterminated)) return false;
  return !isDeepStrictEqual(found.object, known.object);
}

/** The doubted object as it was; `undefined` when the doubt has lasted long enough to be believed. */
function doubt(known: KnownObject, missing: boolean, look: Look): KnownObject | undefined {
  const doubtedSince = known.doubtedSince ?? look.now;
  return look.now - doubtedSince >= look.secondLook ? undefined : { ...known, doubtedSince, missing };
}

function withoutDoubt({ object, leaves }: KnownObject): KnownObject {
  return { object, leaves };
}

/** What is known of a file after reading it once more. */
export function updateKnown(known: KnownObjects, content: FileContent, look: Look): KnownObjects {
  const updated = new Map<string, KnownObject>();
  for (const [name, found] of content.objects) {
    const before = known.get(name);
    const doubted = before && looksCutShort(found, before, content) ? doubt(before, false, look) : undefined;
    updated.set(name, doubted ?? { object: found.object, leaves: found.leaves });
  }
  for (const [name, before] of known) {
    if (updated.has(name)) continue;
    // An unreadable part may hold any object, so none is missed.
    const kept = content.partial || content.rejected.has(name) ? withoutDoubt(before) : doubt(before, true, look);
    if (kept) updated.set(name, kept);
  }
  return updated;
}

/** When the oldest doubt is due for its second look; `undefined` without doubts. */
export function nextLook(known: KnownObjects, secondLook: number): number | undefined {
  let due: number | undefined;
  for (const { doubtedSince } of known.values()) {
    if (doubtedSince !== undefined && (due === undefined || doubtedSince + secondLook < due)) {
      due = doubtedSince + secondLook;
    }
  }
  return due;
}
