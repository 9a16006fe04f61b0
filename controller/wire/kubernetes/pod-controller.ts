/** apps/v1 ReplicaSet and batch/v1 Job: only their owners matter. */
import { z } from 'zod';
import type { PodController } from '../../core/model.ts';
import { controllerOwner, metadataSchema, namespaceOf, ownerReferencesSchema } from './metadata.ts';
import { type KindReader, kindReader } from './reduction.ts';

const podControllerSchema = z.object({ metadata: metadataSchema.extend({ ownerReferences: ownerReferencesSchema }) });

const reader = (kind: PodController['kind']): KindReader =>
  kindReader(kind, podControllerSchema, ({ metadata }) => ({
    object: {
      kind,
      namespace: namespaceOf(metadata),
      name: metadata.name,
      ...controllerOwner(metadata.ownerReferences),
    },
  }));

/** Reads an apps/v1 ReplicaSet. */
export const readReplicaSet = reader('ReplicaSet');

/** Reads a batch/v1 Job. */
export const readJob = reader('Job');
