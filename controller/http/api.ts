/** The routes of `/api/v1`: each turns a question into one call of the read model. */
import type { FastifyInstance } from 'fastify';
import {
  API_VERSION,
  type EdgeList,
  type Graph,
  type MeshStatus,
  type Workload,
  type WorkloadList,
} from '../core/answer.ts';
import { LazyscopeError } from '../core/error.ts';
import type { SocketAddress, WorkloadKey } from '../core/model.ts';
import type { ReadinessCheck, ReadModel } from '../core/report.ts';
import { bootstrapQuery, edgeFilter, noQuery, workloadFilter, workloadPath } from './queries.ts';
import { apiError, edgeList, envoyBootstrap, graph, meshStatus, workload, workloadList } from './schemas.ts';
import type { ZodTypeProvider } from './zod-provider.ts';

/** What somebody asked a bootstrap to be; what is absent is for the controller to fill in. */
interface BootstrapRequest {
  readonly pod?: string;
  readonly controller?: SocketAddress;
  readonly egress?: readonly SocketAddress[];
  readonly admin?: number;
}

/** What the API answers from. */
export interface Api {
  readonly readModel: ReadModel;
  readonly readiness: () => readonly ReadinessCheck[];
  /**
   * The Envoy bootstrap of a workload, as plain JSON.
   * @throws LazyscopeError `NotFound` for an unknown workload or pod, `InvalidConfiguration` when more must be said.
   */
  readonly bootstrap: (workload: WorkloadKey, request: BootstrapRequest) => object;
}

/** Adds the routes that read the mesh as a whole. */
export function meshRoutes(server: FastifyInstance, { readModel, readiness }: Api): void {
  const app = server.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/api/v1/status',
    { schema: { summary: 'The mesh at a glance', querystring: noQuery, response: { 200: meshStatus, 400: apiError } } },
    (): MeshStatus => ({ apiVersion: API_VERSION, kind: 'MeshStatus', ...readModel.mesh(), ready: readiness() }),
  );

  app.get(
    '/api/v1/edges',
    { schema: { summary: 'Who calls whom', querystring: edgeFilter, response: { 200: edgeList, 400: apiError } } },
    ({ query }): EdgeList => ({ apiVersion: API_VERSION, kind: 'EdgeList', items: readModel.edges(query) }),
  );

  app.get(
    '/api/v1/graph',
    { schema: { summary: 'Edges and their ends', querystring: edgeFilter, response: { 200: graph, 400: apiError } } },
    ({ query }): Graph => ({ apiVersion: API_VERSION, kind: 'Graph', ...readModel.graph(query) }),
  );
}

const workloadUrl = '/api/v1/workloads/:namespace/:kind/:name';

/** Adds the routes about workloads. */
export function workloadRoutes(server: FastifyInstance, { readModel, bootstrap }: Api): void {
  const app = server.withTypeProvider<ZodTypeProvider>();
  const errors = { 400: apiError, 404: apiError };

  app.get(
    '/api/v1/workloads',
    { schema: { summary: 'Workloads', querystring: workloadFilter, response: { 200: workloadList, 400: apiError } } },
    ({ query }): WorkloadList => ({
      apiVersion: API_VERSION,
      kind: 'WorkloadList',
      items: readModel.workloads(query),
    }),
  );

  app.get(
    workloadUrl,
    {
      schema: {
        summary: 'One workload with its edges',
        params: workloadPath,
        querystring: noQuery,
        response: { 200: workload, ...errors },
      },
    },
    ({ params }): Workload => {
      const key = `${params.namespace}/${params.kind}/${params.name}`;
      const detail = readModel.workload(key);
      if (detail === undefined) throw unknownWorkload(key);
      return { apiVersion: API_VERSION, kind: 'Workload', ...detail };
    },
  );

  app.get(
    `${workloadUrl}/bootstrap`,
    {
      schema: {
        summary: 'The bootstrap that a pod of this workload starts its Envoy with',
        params: workloadPath,
        querystring: bootstrapQuery,
        response: { 200: envoyBootstrap, ...errors },
      },
    },
    ({ params, query }): object => bootstrap(`${params.namespace}/${params.kind}/${params.name}`, query),
  );
}

function unknownWorkload(key: WorkloadKey): LazyscopeError {
  return new LazyscopeError(
    'NotFound',
    `No workload ${key}: no pod of it is known and none was ever seen. Kinds are written as Kubernetes does (Deployment).`,
  );
}
