/**
 * A large mesh on a real API server and istiod: 10,000 Services with 100,000 endpoints in front of the 10,000 pods of
 * 1,000 Deployments. Filled once for all benchmarks of a run, which takes a minute or two.
 */

import { IstioMesh } from '../../mesh/bed/istio-mesh.ts';
import { inParallel } from '../../support/in-parallel.ts';
import {
  deploymentObject,
  endpointSliceObject,
  type LargeWorkload,
  largeWorkload,
  type NamedObject,
  PODS_PER_WORKLOAD,
  podObject,
  podStatus,
  replicaSetObject,
  SERVICES_PER_WORKLOAD,
  serviceObject,
} from './objects.ts';

/** 1,000; `WORKLOADS` makes it smaller, to try a benchmark. */
export const WORKLOADS = Number(process.env['WORKLOADS'] || 1_000);
export const SERVICES = WORKLOADS * SERVICES_PER_WORKLOAD;

/** Requests at the API server at a time: it must also find the time to answer them. */
const WRITERS = 8;
/** Of a request that a busy machine has not answered in time. */
const ATTEMPTS = 5;

interface Created {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly spec: { readonly clusterIP: string };
}

export class LargeMesh {
  readonly mesh: IstioMesh;
  readonly #clusterIPs: string[] = [];
  #workloads = 0;

  private constructor(mesh: IstioMesh) {
    this.mesh = mesh;
  }

  /**
   * An empty one. Its egress and the egress's Envoy are ended: benchmarks report in the egress's name, and an Envoy that
   * holds everything would only take processor time from what is measured.
   */
  static async open(): Promise<LargeMesh> {
    const mesh = await IstioMesh.start();
    await mesh.egress.kill();
    await mesh.egress.pod.envoy.stop();
    await mesh.controller.stop();
    return new LargeMesh(mesh);
  }

  get services(): number {
    return this.#workloads * SERVICES_PER_WORKLOAD;
  }

  get endpoints(): number {
    return this.services * PODS_PER_WORKLOAD;
  }

  get pods(): number {
    return this.#workloads * PODS_PER_WORKLOAD;
  }

  /**
   * Grows it to so many workloads.
   * @throws Error where there are more already
   */
  async grow(workloads: number): Promise<void> {
    if (workloads < this.#workloads) throw new Error(`The mesh has ${this.#workloads} workloads, not ${workloads}`);
    const { client } = this.mesh.bed;
    const more = Array.from({ length: workloads - this.#workloads }, (_, index) =>
      largeWorkload(this.#workloads + index),
    );
    for (const namespace of new Set(more.map((workload) => workload.namespace)))
      await this.mesh.bed.namespace(namespace);
    await inParallel(more, WRITERS, async (workload) => this.#add(workload));
    this.#workloads = workloads;
    await client.answers('/readyz');
  }

  async #add(workload: LargeWorkload): Promise<void> {
    const apps = `/apis/apps/v1/namespaces/${workload.namespace}`;
    const core = `/api/v1/namespaces/${workload.namespace}`;
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${workload.namespace}/endpointslices`;
    const deployment = await this.#create(`${apps}/deployments`, deploymentObject(workload));
    const replicaSet = await this.#create(
      `${apps}/replicasets`,
      replicaSetObject(workload, { ...deployment, kind: 'Deployment' }),
    );
    for (let pod = 0; pod < PODS_PER_WORKLOAD; pod += 1) {
      const object = podObject(workload, pod, { ...replicaSet, kind: 'ReplicaSet' });
      const created = await this.#create(`${core}/pods`, object);
      const path = `${core}/pods/${created.metadata.name}/status`;
      await this.mesh.bed.client.request('PUT', path, {
        ...object,
        metadata: created.metadata,
        status: podStatus(workload, pod),
      });
    }
    for (let index = 0; index < SERVICES_PER_WORKLOAD; index += 1) {
      const service = workload.index * SERVICES_PER_WORKLOAD + index;
      const { spec } = await this.#create(`${core}/services`, serviceObject(service));
      this.#clusterIPs[service] = spec.clusterIP;
      await this.#create(slices, endpointSliceObject(service));
    }
  }

  /** An object that an earlier attempt has made after all is taken as it is. */
  async #create(path: string, object: NamedObject, attempt = 1): Promise<Created> {
    const { client } = this.mesh.bed;
    try {
      return await client.request('POST', path, object);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      const made = await client.request<Created>('GET', `${path}/${object.metadata.name}`).catch(() => undefined);
      return made ?? this.#create(path, object, attempt + 1);
    }
  }

  /** By number of the service. */
  get clusterIPs(): readonly string[] {
    return this.#clusterIPs;
  }

  destroy(): void {
    this.mesh.destroy();
  }
}
