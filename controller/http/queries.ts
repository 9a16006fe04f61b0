/** What the API can be asked: path and query parameters. An unknown parameter is an error, not a filter that does nothing. */
import * as z from 'zod';
import type { SocketAddress } from '../core/model.ts';
import { readSocketAddress } from '../core/socket-address.ts';

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const namespace = z.string().regex(label, 'must be a Kubernetes namespace, for example shop');

const workloadKey = z
  .string()
  .regex(/^[^/]+\/[^/]+\/[^/]+$/, 'must be namespace/Kind/name, for example shop/Deployment/cart');

/** Key of a service or mesh host. */
export const serviceKey = z
  .string()
  .regex(/^[^/]+\/[^/]+$/, 'must be namespace/host, for example shop/cart.shop.svc.cluster.local');

/** Something that can be connected to: port 0 means any free port, which is for listening. */
function readDialable(text: string): SocketAddress | undefined {
  const address = readSocketAddress(text);
  return address?.port === 0 ? undefined : address;
}

const socketAddresses = z.string().transform((text, context): readonly SocketAddress[] => {
  const addresses = text.split(',').map((item) => readDialable(item.trim()));
  if (addresses.every((address) => address !== undefined)) return addresses;
  context.addIssue('must be ADDRESS:PORT or [IPV6]:PORT, several with commas');
  return z.NEVER;
});

const socketAddress = z.string().transform((text, context): SocketAddress => {
  const address = readDialable(text);
  if (address !== undefined) return address;
  context.addIssue('must be one ADDRESS:PORT or [IPV6]:PORT');
  return z.NEVER;
});

const portNumber = z.coerce
  .number('must be a port number')
  .int('must be a port number')
  .min(1, 'must be a port number')
  .max(65_535, 'must be a port number');

/** Path of one workload. Which names exist is for the mesh to say, so a strange one is simply not found. */
export const workloadPath = z.strictObject({
  namespace: z.string().min(1),
  kind: z.string().min(1),
  name: z.string().min(1),
});

export const workloadFilter = z.strictObject({
  namespace: namespace.exactOptional().describe('workloads of this namespace only'),
});

export const edgeFilter = z.strictObject({
  namespace: namespace.exactOptional().describe('edges from this namespace only'),
  from: workloadKey.exactOptional().describe('edges of this workload, namespace/Kind/name'),
  to: serviceKey.exactOptional().describe('edges to this service, namespace/host'),
});

export const bootstrapQuery = z.strictObject({
  pod: z
    .string()
    .min(1, 'must be the name of a pod')
    .exactOptional()
    .describe('which pod; needed when the workload has several'),
  controller: socketAddress.exactOptional().describe('ADDRESS:PORT of the controller as the pod reaches it'),
  egress: socketAddresses.exactOptional().describe('ADDRESS:PORT[,...] of the egress as the pod reaches it'),
  admin: portNumber.exactOptional().describe("port of Envoy's admin interface"),
});

/** `?verbose`, with or without a value, as Kubernetes' own health endpoints take it. */
export const readinessQuery = z.strictObject({ verbose: z.string().exactOptional() });

export const noQuery = z.strictObject({});
