/** Answers of the HTTP API as clients read them: a report with its version and kind around it. */
import type { ServiceKey, WorkloadKey } from './model.ts';
import type { EdgeReport, GraphReport, MeshReport, ReadinessCheck, WorkloadDetail, WorkloadReport } from './report.ts';

/** Version of every answer; fields are only ever added within it. */
export const API_VERSION = 'lazyscope.io/v1';

/** `Body` with the two fields that say how to read it. */
type Answer<Kind extends string, Body> = Body & {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: Kind;
};

/** `GET /api/v1/status` */
export type MeshStatus = Answer<'MeshStatus', MeshReport & { readonly ready: readonly ReadinessCheck[] }>;

/** `GET /api/v1/workloads` */
export type WorkloadList = Answer<'WorkloadList', { readonly items: readonly WorkloadReport[] }>;

/** `GET /api/v1/workloads/<namespace>/<kind>/<name>` */
export type Workload = Answer<'Workload', WorkloadDetail>;

/** `GET /api/v1/edges` */
export type EdgeList = Answer<'EdgeList', { readonly items: readonly EdgeReport[] }>;

/** `GET /api/v1/graph` */
export type Graph = Answer<'Graph', GraphReport>;

/** `POST /api/v1/workloads/<namespace>/<kind>/<name>/forget` */
export type Forgotten = Answer<
  'Forgotten',
  {
    readonly workload: WorkloadKey;
    readonly service: ServiceKey;
    /** Dependencies that leave the scope. */
    readonly dependencies: number;
  }
>;

/** Every answer with a status of 400 and above. */
export interface ApiError {
  readonly error: {
    /** Stable; programs match on it. */
    readonly code: string;
    /** For people: what is wrong and what to do. */
    readonly message: string;
  };
}
