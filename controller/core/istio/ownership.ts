/** How objects of ours are known, to us and to kubectl. */

export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGER = 'lazyscope';
/** Labels of everything that the controller writes for the mesh. */
export const MANAGED_BY = { [MANAGED_BY_LABEL]: MANAGER } as const;
/** Annotation of a Sidecar of ours that names its workload. */
export const WORKLOAD_ANNOTATION = 'lazyscope.io/workload';
