/** The annotation `lazyscope.io/mode` of pods and namespaces. */
import { z } from 'zod';
import type { Mode } from '../../core/model.ts';
import type { Problem } from '../../core/ports.ts';

/** Name of the annotation that overrides the mesh's mode for one pod or namespace. */
export const MODE_ANNOTATION = 'lazyscope.io/mode';

const MODES = ['Off', 'Observe', 'Enforce'] as const satisfies readonly Mode[];

/** `metadata.annotations`, as far as we read it. */
export const modeAnnotationSchema = z.object({ [MODE_ANNOTATION]: z.string().nullish() }).nullish();

/** What the annotation says: a mode as a property to spread, and what is wrong with it. */
export interface ReadMode {
  readonly mode: { readonly mode?: Mode };
  readonly problems: readonly Problem[];
}

/**
 * Reads the annotation; upper and lower case are the same. An unknown value is a problem and counts as absent.
 * @param subject the object, as the problem names it
 */
export function readMode(annotations: z.infer<typeof modeAnnotationSchema>, subject: string): ReadMode {
  const text = annotations?.[MODE_ANNOTATION];
  if (text === undefined || text === null) return { mode: {}, problems: [] };
  const mode = MODES.find((known) => known.toLowerCase() === text.trim().toLowerCase());
  if (mode !== undefined) return { mode: { mode }, problems: [] };
  const reason = `annotation ${MODE_ANNOTATION} is "${text}" and was ignored: write one of ${MODES.join(', ')}`;
  return { mode: {}, problems: [{ subject, reason }] };
}
