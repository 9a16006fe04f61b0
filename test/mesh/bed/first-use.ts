/** What must hold for every protocol: it works at once, is learned as what it is, and then goes direct. */
import assert from 'node:assert/strict';
import type { EdgeReport } from '../../../controller/core/report.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { eventually } from '../../support/eventually.ts';
import type { IstioMesh } from './istio-mesh.ts';

export interface FirstUse {
  readonly client: Pod;
  /** `namespace/Kind/name` of the client; default: its Deployment. */
  readonly workload?: string;
  /** Key of what is called. */
  readonly to: { readonly key: string };
  /** One call on a new connection; returns whom the server saw. */
  readonly call: () => Promise<string>;
}

/** The first call crosses the egress; then there is one edge, and calls go direct. */
export async function assertLearned(mesh: IstioMesh, { client, workload, to, call }: FirstUse): Promise<EdgeReport> {
  assert.equal(await call(), mesh.egress.pod.address, 'the first call crosses the egress');
  const edge = await mesh.learned(client, to, workload);
  await eventually('calls go direct', async () => (await call()) === client.address);
  const edges = await mesh.controller.api.edges(workload ?? client.workload);
  assert.deepEqual([...new Set(edges.map((one) => `${one.to} ${one.state}`))], [`${to.key} active`]);
  return edge;
}
