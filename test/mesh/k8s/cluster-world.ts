/** A namespace of a real API server as a world of the contract of mesh sources. */
import type { TestContext } from 'node:test';
import { type Cluster, connectCluster } from '../../../controller/k8s/cluster.ts';
import { KubernetesSource } from '../../../controller/k8s/kubernetes-source.ts';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { KubernetesObject as PrintedObject } from '../../support/kubernetes-objects.ts';
import type { ApiBed } from './api-bed.ts';
import { SourceOfNamespace } from './source-of-namespace.ts';

const NAMESPACE = 'shop';

/** What the server fills in by itself, and refuses of others. */
function withoutServersFields(printed: PrintedObject): KubernetesObject {
  const { status: _, ...object } = printed as KubernetesObject;
  const { uid: __, ...metadata } = object.metadata;
  const spec = { ...Object(object['spec']) };
  // Its range is another.
  delete spec.clusterIP;
  delete spec.clusterIPs;
  if (object.kind === 'Pod') spec.containers ??= [{ name: 'app', image: 'app' }];
  return { ...object, metadata, ...('spec' in object ? { spec } : {}) } as KubernetesObject;
}

const nameOf = ({ apiVersion, kind, metadata }: KubernetesObject): string => `${apiVersion} ${kind} ${metadata.name}`;

export class ClusterWorld {
  readonly #api: ApiBed;
  readonly #cluster: Cluster;
  readonly #t: TestContext;
  #objects = new Map<string, KubernetesObject>();

  private constructor(api: ApiBed, cluster: Cluster, t: TestContext) {
    this.#api = api;
    this.#cluster = cluster;
    this.#t = t;
  }

  /** Empty; what is made in it goes when the test ends. */
  static async make(api: ApiBed, t: TestContext): Promise<ClusterWorld> {
    await api.namespace(NAMESPACE);
    const world = new ClusterWorld(api, await connectCluster({ kubeconfig: api.kubeconfig() }), t);
    t.after(() => world.set([]));
    return world;
  }

  async set(printed: readonly PrintedObject[]): Promise<void> {
    const { client } = this.#api;
    const wanted = new Map(printed.map((object) => [nameOf(object as KubernetesObject), object]));
    const gone = [...this.#objects].filter(([name]) => !wanted.has(name));
    for (const [, object] of gone) await client.delete(object);
    this.#objects = new Map();
    for (const [name, object] of wanted) {
      const accepted = withoutServersFields(object);
      this.#objects.set(name, accepted);
      await client.apply(accepted);
      if (accepted.kind === 'Pod') await client.patchStatus(accepted, Object(object['status']));
    }
  }

  open(): SourceOfNamespace {
    const cluster = this.#cluster;
    const source = new KubernetesSource({
      cluster,
      clusterDomain: 'cluster.local',
      mode: 'istio',
      namespace: NAMESPACE,
    });
    this.#t.after(() => source.stop());
    return new SourceOfNamespace(source, NAMESPACE);
  }
}
