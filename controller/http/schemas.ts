/** The answers as zod schemas: what OpenAPI says and what tests hold every answer against. */
import * as z from 'zod';
import {
  API_VERSION,
  type ApiError,
  type EdgeList,
  type Forgotten,
  type Graph,
  type MeshStatus,
  type Workload,
  type WorkloadList,
} from '../core/answer.ts';
import type {
  EdgeReport,
  GraphNode,
  MeshReport,
  ProxyReport,
  PublicationReport,
  ReadinessCheck,
  WorkloadReport,
} from '../core/report.ts';

/** Makes the compiler ask for a schema of every field, optional ones too. */
type Fields<Report> = Readonly<Record<keyof Report, z.ZodType>>;

const count = z.int().min(0);
const time = z.iso.datetime().describe('UTC');
const workloadKey = z.string().describe('namespace/Kind/name');

const edgeReport = z
  .strictObject({
    from: workloadKey,
    to: z.string().describe('namespace/host of a service, or address:port (host) of what is no service'),
    port: z.int().min(0).max(65_535),
    protocol: z.enum(['HTTP1', 'HTTP2', 'TLS', 'TCP']),
    state: z.enum(['observed', 'warming', 'active', 'relayed', 'cooling', 'expired']),
    relayReason: z
      .enum([
        'PodIP',
        'NodeIP',
        'External',
        'HostMismatch',
        'SniMismatch',
        'ProtocolMismatch',
        'CapturesPort',
        'UndeclaredHeadless',
      ])
      .exactOptional(),
    flags: z.array(z.enum(['partlyRelayed', 'degraded', 'missing'])),
    origin: z.enum(['EgressLog', 'Seed']),
    firstSeen: time,
    lastSeen: time,
    promotedAt: time.exactOptional(),
    confirmedAt: time.exactOptional(),
    connections: count,
    requests: count,
    bytesSent: count,
    bytesReceived: count,
    errors: count,
  } satisfies Fields<EdgeReport>)
  .meta({
    id: 'EdgeReport',
    description: 'One learned edge, and how it stands for its workload.',
  }) satisfies z.ZodType<EdgeReport>;

const proxyReport = z
  .strictObject({
    node: z.string().describe('Envoy node id'),
    pod: z.string(),
    sync: z.enum(['Synced', 'Waiting', 'Rejected']),
    connectedSince: time,
    clusters: count.describe('outbound clusters that this Envoy holds'),
    lastAck: time.exactOptional(),
    rejected: z.string().exactOptional().describe('the quarantined resource and why Envoy refused it'),
  } satisfies Fields<ProxyReport>)
  .meta({ id: 'ProxyReport', description: 'One connected Envoy.' }) satisfies z.ZodType<ProxyReport>;

const publicationReport = z
  .strictObject({
    state: z.enum(['Eager', 'Lazy', 'Changing']),
    routed: count,
    warm: count.describe('services on their way in or out'),
    refusal: z.strictObject({ reason: z.string(), message: z.string() }).exactOptional(),
  } satisfies Fields<PublicationReport>)
  .meta({ id: 'PublicationReport', description: 'Its Sidecar, in Istio mode.' }) satisfies z.ZodType<PublicationReport>;

const workloadFields = {
  workload: workloadKey,
  mode: z.enum(['Off', 'Observe', 'Enforce']),
  modeSource: z.string().describe('why this mode'),
  dependencies: count,
  relayed: count,
  clusters: z.strictObject({
    kept: count.describe('in the scope of the workload'),
    total: count.describe('what an eager Envoy would hold'),
  }),
  pods: z.array(z.strictObject({ name: z.string(), addresses: z.array(z.string()) })),
  proxies: z.array(proxyReport),
  publication: publicationReport.exactOptional(),
} satisfies Fields<WorkloadReport>;

const workloadReport = z
  .strictObject(workloadFields)
  .meta({ id: 'WorkloadReport', description: 'One workload.' }) satisfies z.ZodType<WorkloadReport>;

const graphNode = z
  .strictObject({
    id: z.string(),
    kind: z.enum(['Workload', 'Service', 'Address']),
    namespace: z.string().exactOptional(),
  } satisfies Fields<GraphNode>)
  .meta({ id: 'GraphNode', description: 'One end of edges.' }) satisfies z.ZodType<GraphNode>;

const readinessCheck = z
  .strictObject({
    name: z.string(),
    ok: z.boolean(),
    degraded: z.boolean().exactOptional(),
    detail: z.string(),
  } satisfies Fields<ReadinessCheck>)
  .meta({ id: 'ReadinessCheck', description: 'One line of /readyz.' }) satisfies z.ZodType<ReadinessCheck>;

const meshFields = {
  services: count,
  workloads: count,
  edges: count,
  proxies: count,
  egresses: count,
  unknownProxies: z.array(z.string()).describe('node ids of connected sidecars whose pod no source has told'),
  problems: z.array(z.strictObject({ subject: z.string(), reason: z.string(), at: time })),
  problemsTotal: count,
} satisfies Fields<MeshReport>;

function answer<Kind extends string, Body extends z.ZodRawShape>(kind: Kind, body: Body, description: string) {
  return z
    .strictObject({ apiVersion: z.literal(API_VERSION), kind: z.literal(kind), ...body })
    .meta({ id: kind, description });
}

/** `GET /api/v1/status` */
export const meshStatus = answer(
  'MeshStatus',
  { ...meshFields, ready: z.array(readinessCheck) },
  'What the whole controller knows.',
) satisfies z.ZodType<MeshStatus>;

/** `GET /api/v1/workloads` */
export const workloadList = answer(
  'WorkloadList',
  { items: z.array(workloadReport) },
  'Workloads, sorted by key.',
) satisfies z.ZodType<WorkloadList>;

/** `GET /api/v1/workloads/<namespace>/<kind>/<name>` */
export const workload = answer(
  'Workload',
  { ...workloadFields, edges: z.array(edgeReport) },
  'One workload with its edges.',
) satisfies z.ZodType<Workload>;

/** `POST /api/v1/workloads/<namespace>/<kind>/<name>/forget` */
export const forgotten = answer(
  'Forgotten',
  { workload: workloadKey, service: z.string(), dependencies: count },
  'What a workload has forgotten.',
) satisfies z.ZodType<Forgotten>;

/** `GET /api/v1/edges` */
export const edgeList = answer(
  'EdgeList',
  { items: z.array(edgeReport) },
  'Edges, sorted by source, destination, port and protocol.',
) satisfies z.ZodType<EdgeList>;

/** `GET /api/v1/graph` */
export const graph = answer(
  'Graph',
  { nodes: z.array(graphNode), edges: z.array(edgeReport) },
  'Edges and their ends.',
) satisfies z.ZodType<Graph>;

/** An Envoy bootstrap; its schema is Envoy's `envoy.config.bootstrap.v3.Bootstrap`. */
export const envoyBootstrap = z
  .looseObject({})
  .meta({ id: 'EnvoyBootstrap', description: 'envoy.config.bootstrap.v3.Bootstrap as JSON.' });

/** Every answer with a status of 400 and above. */
export const apiError = z
  .strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) })
  .meta({ id: 'Error', description: 'Why there is no answer.' }) satisfies z.ZodType<ApiError>;
