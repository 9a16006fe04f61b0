/** What controls pods: apps/v1 and batch/v1 objects, of which only owner and mode matter. */
import { z } from 'zod';
import type { PodControllerKind } from '../../core/model.ts';
import { controllerOwner, metadataSchema, namespaceOf, ownerReferencesSchema } from './metadata.ts';
import { modeAnnotationSchema, readMode } from './mode.ts';
import { type KindReader, kindReader, objectName } from './reduction.ts';

const podControllerSchema = z.object({
  metadata: metadataSchema.extend({ ownerReferences: ownerReferencesSchema, annotations: modeAnnotationSchema }),
});

/** A Deployment copies its annotations to its ReplicaSets, so a ReplicaSet's may be those of an older Deployment. */
const COPIES: ReadonlySet<PodControllerKind> = new Set(['ReplicaSet']);

const reader = (kind: PodControllerKind): KindReader =>
  kindReader(kind, podControllerSchema, ({ metadata }) => {
    const ref = { kind, namespace: namespaceOf(metadata), name: metadata.name };
    const owner = controllerOwner(metadata.ownerReferences);
    if (COPIES.has(kind) && owner.owner) return { object: { ...ref, ...owner } };
    const { mode, problems } = readMode(metadata.annotations, objectName(ref));
    return { object: { ...ref, ...owner, ...mode }, problems };
  });

/** Reads an apps/v1 ReplicaSet. */
export const readReplicaSet = reader('ReplicaSet');

/** Reads an apps/v1 Deployment. */
export const readDeployment = reader('Deployment');

/** Reads an apps/v1 StatefulSet. */
export const readStatefulSet = reader('StatefulSet');

/** Reads an apps/v1 DaemonSet. */
export const readDaemonSet = reader('DaemonSet');

/** Reads a batch/v1 Job. */
export const readJob = reader('Job');

/** Reads a batch/v1 CronJob. */
export const readCronJob = reader('CronJob');
