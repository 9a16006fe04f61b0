/**
 * What one file contributes, from reading to reading. Nothing is taken away on the word of one reading: an object that
 * is missing, or looks cut short, stays as it was until a second look.
 */
import { isDeepStrictEqual } from 'node:util';
import type { MeshObject } from '../core/mesh-object.ts';
import type { FileContent, FileObject } from './read-text.ts';

/**
 * Why a reading is not believed yet. `Missing`: the file had the object. `CutShort`: the object has lost something, it
 * is kept as it was. `Unconfirmed`: the object is new, but may be the torso of another one.
 */
type DoubtReason = 'Missing' | 'CutShort' | 'Unconfirmed';

/** An object that a file has, had until lately, or may have. */
export interface KnownObject {
  readonly object: MeshObject;
  readonly leaves: number;
  readonly doubt?: {
    readonly reason: DoubtReason;
    /** When a reading first gave reason to doubt, in milliseconds of the caller's clock. */
    readonly since: number;
  };
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

/** The object with its doubt; `undefined` when that has lasted long enough for the reading to be believed. */
function doubted(known: KnownObject, reason: DoubtReason, since: number, look: Look): KnownObject | undefined {
  return look.now - since >= look.secondLook ? undefined : { ...known, doubt: { reason, since } };
}

/**
 * A half-written file ends early, maybe in the middle of a word. So a change to its last object is in doubt if that
 * has lost something, or if its last line has no end.
 */
function looksCutShort(found: FileObject, known: KnownObject, content: FileContent): boolean {
  if (!found.last || (found.leaves >= known.leaves && !content.unterminated)) return false;
  return !isDeepStrictEqual(found.object, known.object);
}

/** What is known of an object that the reading found. */
function updateFound(found: FileObject, before: KnownObject | undefined, cut: boolean, look: Look): KnownObject {
  const now = { object: found.object, leaves: found.leaves };
  const since = before?.doubt?.since ?? look.now;
  if (before && before.doubt?.reason !== 'Unconfirmed') {
    return cut ? (doubted(before, 'CutShort', since, look) ?? now) : now;
  }
  return cut ? (doubted(now, 'Unconfirmed', since, look) ?? now) : now;
}

/** What is known of an object that the reading did not find; `undefined` if nothing any more. */
function updateAbsent(before: KnownObject, keep: boolean, look: Look): KnownObject | undefined {
  if (before.doubt?.reason === 'Unconfirmed') return undefined;
  if (keep) return { object: before.object, leaves: before.leaves };
  return doubted(before, 'Missing', before.doubt?.since ?? look.now, look);
}

const isConfirmed = ({ doubt }: KnownObject): boolean => doubt?.reason !== 'Unconfirmed';

/** What stays of the objects that the reading did not find. An unreadable part may hold any object. */
function keepAbsent(known: KnownObjects, content: FileContent, look: Look): Map<string, KnownObject> {
  const kept = new Map<string, KnownObject>();
  for (const [name, before] of known) {
    if (content.objects.has(name)) continue;
    const after = updateAbsent(before, content.partial || content.rejected.has(name), look);
    if (after) kept.set(name, after);
  }
  return kept;
}

/** What is known of a file after reading it once more. */
export function updateKnown(known: KnownObjects, content: FileContent, look: Look): KnownObjects {
  const absent = keepAbsent(known, content, look);
  const isFirst = ![...known.values()].some(isConfirmed);
  // What was a long name may have become a shorter one: beside missing objects, a new last one is as doubtful as they.
  const hidesTorso = !isFirst && (absent.size > 0 || content.unterminated);
  const updated = new Map<string, KnownObject>();
  for (const [name, found] of content.objects) {
    const before = known.get(name);
    const isKnown = before !== undefined && isConfirmed(before);
    const cut = isKnown ? looksCutShort(found, before, content) : found.last && hidesTorso;
    updated.set(name, updateFound(found, before, cut, look));
  }
  return new Map([...updated, ...absent]);
}

/** When the oldest doubt is due for its second look; `undefined` without doubts. */
export function nextLook(known: KnownObjects, secondLook: number): number | undefined {
  let due: number | undefined;
  for (const { doubt } of known.values()) {
    if (doubt && (due === undefined || doubt.since + secondLook < due)) due = doubt.since + secondLook;
  }
  return due;
}
