/** v1 ConfigMap: only its name matters. */
import { z } from 'zod';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { kindReader } from './reduction.ts';

/** Reads a v1 ConfigMap. */
export const readConfigMap = kindReader('ConfigMap', z.object({ metadata: metadataSchema }), ({ metadata }) => ({
  object: { kind: 'ConfigMap', namespace: namespaceOf(metadata), name: metadata.name },
}));
