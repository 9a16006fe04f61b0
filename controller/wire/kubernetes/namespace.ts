/** v1 Namespace. */
import { z } from 'zod';
import { metadataSchema } from './metadata.ts';
import { modeAnnotationSchema, readMode } from './mode.ts';
import { kindReader, objectName } from './reduction.ts';

const namespaceSchema = z.object({ metadata: metadataSchema.extend({ annotations: modeAnnotationSchema }) });

/** Reads a v1 Namespace. */
export const readNamespace = kindReader('Namespace', namespaceSchema, ({ metadata }) => {
  const ref = { kind: 'Namespace', namespace: '', name: metadata.name } as const;
  const { mode, problems } = readMode(metadata.annotations, objectName(ref));
  return { object: { ...ref, ...mode }, problems };
});
