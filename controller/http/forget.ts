/** The one request that changes something: a workload forgets a service. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { API_VERSION, type Forgotten } from '../core/answer.ts';
import { LazyscopeError } from '../core/error.ts';
import type { ServiceKey, WorkloadKey } from '../core/model.ts';
import { isAddressOrLocalhost } from './host-guard.ts';
import { serviceKey, workloadPath } from './queries.ts';
import { apiError, forgotten } from './schemas.ts';
import type { ZodTypeProvider } from './zod-provider.ts';

/** What it is carried out by. */
export interface ForgetApi {
  /**
   * Takes a service out of a workload's scope; the next use learns it again.
   * @returns how many dependencies leave
   * @throws LazyscopeError `NotFound`, or `InvalidConfiguration` where that would cut connections
   */
  readonly forget: (workload: WorkloadKey, service: ServiceKey) => number;
}

const body = z.strictObject({ service: serviceKey.describe('namespace/host') });

/** Adds `POST /api/v1/workloads/<namespace>/<kind>/<name>/forget`. */
export function forgetRoute(server: FastifyInstance, { forget }: ForgetApi): void {
  server.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/workloads/:namespace/:kind/:name/forget',
    {
      onRequest: async (request) => assertLocal(request),
      schema: {
        summary: 'Take a service out of the scope of a workload; its next use learns it again',
        params: workloadPath,
        body,
        response: { 200: forgotten, 400: apiError, 403: apiError, 404: apiError },
      },
    },
    ({ params, body: { service } }): Forgotten => {
      const workload = `${params.namespace}/${params.kind}/${params.name}`;
      const dependencies = forget(workload, service);
      return { apiVersion: API_VERSION, kind: 'Forgotten', workload, service, dependencies };
    },
  );
}

/**
 * The port has no authentication, and Prometheus reaches it from anywhere. Whoever is on our own host or in our own pod,
 * as with `kubectl port-forward`, has been let in by somebody else; but not a web page whose name was pointed at it.
 */
function assertLocal({ socket, headers }: FastifyRequest): void {
  const { remoteAddress = '', localAddress } = socket;
  const isLocal = remoteAddress === localAddress || isLoopback(remoteAddress);
  if (isLocal && isAddressOrLocalhost(headers.host)) return;
  throw new LazyscopeError('Forbidden', 'Changes are taken from this host alone: use kubectl port-forward.');
}

/** From 127.0.0.6 a sidecar brings whatever the network sends to its pod. */
function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.(?!0\.0\.6$)|^::1$/.test(address);
}
