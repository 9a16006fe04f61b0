import type {
  Mode,
  Namespace,
  Node,
  NodeIdentity,
  Owner,
  Pod,
  PodController,
  PodControllerKind,
  Timestamp,
  WorkloadKey,
} from '../model.ts';
import { AddressBook } from './address-book.ts';
import type { KnownPod, PodRecord } from './known-pod.ts';
import { ObjectTable } from './object-table.ts';
import { ownedAddresses } from './owned-addresses.ts';
import { PodGroups } from './pod-groups.ts';

/** A mode and the object that says so. */
export interface EffectiveMode {
  readonly mode: Mode;
  /** For people: `annotation on Namespace shop`. */
  readonly source: string;
}

/** Owners that stand between a pod and its workload. What another object owns in turn (an operator's, say) does not count. */
const INTERMEDIATE: ReadonlySet<string> = new Set<PodControllerKind>(['ReplicaSet', 'Job']);

/** Which a Deployment's ReplicaSets and their pods have in common. */
const TEMPLATE_HASH_LABEL = 'pod-template-hash';

/** Pods, who controls them, what mode they run in and which addresses are theirs. */
export class WorkloadIndex {
  readonly addresses = new AddressBook();
  readonly #pods = new ObjectTable<PodRecord>(({ pod }) => pod);
  readonly #podsByOwner = new PodGroups();
  readonly #podsByWorkload = new PodGroups();
  readonly #controllers = new Map<string, PodController>();
  /** Deleted, but known for as long as they have pods. */
  readonly #goneControllers = new Set<string>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #nodes = new Map<string, Node>();
  readonly #nodeAddresses = new Set<string>();
  readonly #defaultMode: Mode;

  constructor(defaultMode: Mode) {
    this.#defaultMode = defaultMode;
  }

  /** @returns the pod as it was told before */
  applyPod(pod: Pod, at: Timestamp): Pod | undefined {
    const owned = ownedAddresses(pod);
    const before = this.#pods.get(pod.namespace, pod.name);
    const known = before ?? { pod, workload: '' };
    const gone = ownedAddresses(known.pod).filter((address) => !owned.includes(address));
    for (const address of gone) this.addresses.release(address, known, at);
    const workload = this.#sameText(this.workloadOf(pod));
    const podBefore = before?.pod;
    if (!before) this.#pods.apply(known);
    known.pod = pod;
    this.#own(known, ownerKey(pod), podBefore && ownerKey(podBefore));
    this.#enlist(known, workload);
    for (const address of owned) this.addresses.claim(address, known, at);
    return podBefore;
  }

  deletePod(namespace: string, name: string, at: Timestamp): Pod | undefined {
    const known = this.#pods.delete(namespace, name);
    if (!known) return undefined;
    const { pod } = known;
    for (const address of ownedAddresses(pod)) this.addresses.release(address, known, at);
    this.#podsByWorkload.remove(known.workload, known);
    this.#own(known, undefined, ownerKey(pod));
    return pod;
  }

  /** The text that others of the workload's pods hold already: one for all takes less memory. */
  #sameText(workload: WorkloadKey): WorkloadKey {
    return this.#podsByWorkload.of(workload)[0]?.workload ?? workload;
  }

  #enlist(known: PodRecord, workload: WorkloadKey): void {
    if (known.workload === workload) return;
    this.#podsByWorkload.remove(known.workload, known);
    known.workload = workload;
    this.#podsByWorkload.add(workload, known);
  }

  #own(known: PodRecord, owner: string | undefined, ownerBefore: string | undefined): void {
    if (owner === ownerBefore) return;
    if (owner !== undefined) this.#podsByOwner.add(owner, known);
    if (ownerBefore === undefined || !this.#podsByOwner.remove(ownerBefore, known)) return;
    if (this.#goneControllers.delete(ownerBefore)) this.#controllers.delete(ownerBefore);
  }

  /**
   * A ReplicaSet or Job tells a pod's real workload, possibly after the pod was told.
   * @returns the pods it controls
   */
  applyController(controller: PodController, at: Timestamp): readonly Pod[] {
    const key = controllerKey(controller.kind, controller.namespace, controller.name);
    this.#controllers.set(key, controller);
    this.#goneControllers.delete(key);
    const pods = [...this.podsOwnedBy(key)];
    for (const pod of pods) this.applyPod(pod, at);
    return pods;
  }

  /**
   * What it owned stays what it was as long as it has pods: Kubernetes deletes a Job before its pods, and a sidecar that
   * suddenly belonged to another workload would lose what it has learned.
   */
  deleteController(kind: string, namespace: string, name: string): void {
    const key = controllerKey(kind, namespace, name);
    if (this.#podsByOwner.has(key)) this.#goneControllers.add(key);
    else this.#controllers.delete(key);
  }

  applyNamespace(namespace: Namespace): void {
    this.#namespaces.set(namespace.name, namespace);
  }

  deleteNamespace(name: string): void {
    this.#namespaces.delete(name);
  }

  applyNode(node: Node): void {
    this.#nodes.set(node.name, node);
    this.#indexNodes();
  }

  deleteNode(name: string): void {
    this.#nodes.delete(name);
    this.#indexNodes();
  }

  #indexNodes(): void {
    this.#nodeAddresses.clear();
    for (const node of this.#nodes.values()) for (const address of node.addresses) this.#nodeAddresses.add(address);
  }

  nodes(): Iterable<Node> {
    return this.#nodes.values();
  }

  isNodeAddress(address: string): boolean {
    return this.#nodeAddresses.has(address);
  }

  /** Every pod told and not deleted, finished ones included. */
  pods(): Iterable<Pod> {
    return podsAmong(this.#pods.all());
  }

  /** Every workload that has a pod, finished ones included. */
  workloads(): Iterable<WorkloadKey> {
    return this.#podsByWorkload.keys();
  }

  /** A workload's pods, finished ones included. */
  podsOf(workload: WorkloadKey): Iterable<Pod> {
    return podsAmong(this.#podsByWorkload.of(workload));
  }

  /** A namespace's pods, finished ones included. */
  podsIn(namespace: string): Iterable<Pod> {
    return podsAmong(this.#pods.in(namespace));
  }

  /** Whose pod it was when it was told last; `undefined` for one that is not known. */
  workloadNamed(namespace: string, pod: string): WorkloadKey | undefined {
    return this.#pods.get(namespace, pod)?.workload;
  }

  /** Pods with this controller (`namespace/Kind/name`) as their owner, which need not be their workload. */
  podsOwnedBy(controller: string): Iterable<Pod> {
    return podsAmong(this.#podsByOwner.of(controller));
  }

  /** @param controller `namespace/Kind/name` */
  controllerMode(controller: string): Mode | undefined {
    return this.#controllers.get(controller)?.mode;
  }

  namespaceMode(name: string): Mode | undefined {
    return this.#namespaces.get(name)?.mode;
  }

  /**
   * Whether the object that makes this workload was told and is not deleted. Always `false` for kinds that no source
   * tells (`Rollout`), and meaningless for kinds that may not be read.
   */
  isTold(workload: WorkloadKey): boolean {
    const [namespace = '', kind, name = ''] = workload.split('/');
    if (kind === 'Pod') return this.#pods.get(namespace, name) !== undefined;
    return this.#controllers.has(workload) && !this.#goneControllers.has(workload);
  }

  /** The pod that an xDS client says it is; `undefined` while no source has told it. */
  podOf(node: NodeIdentity): KnownPod | undefined {
    return this.#pods.get(node.namespace, node.pod);
  }

  ownerAt(address: string, at: Timestamp): KnownPod | undefined {
    return this.addresses.ownerAt(address, at);
  }

  /** The pod's controller owner, and for a ReplicaSet or Job that one's owner. */
  workloadOf(pod: Pod): WorkloadKey {
    const { namespace, owner } = pod;
    if (!owner) return `${namespace}/Pod/${pod.name}`;
    if (!INTERMEDIATE.has(owner.kind)) return controllerKey(owner.kind, namespace, owner.name);
    const controller = this.#controllers.get(controllerKey(owner.kind, namespace, owner.name));
    const { kind, name } =
      controller?.owner ?? (controller ? owner : likelyOwner(owner, pod.labels[TEMPLATE_HASH_LABEL]));
    return `${namespace}/${kind}/${name}`;
  }

  /** Whether its sidecar is to hold no more than its workload uses. */
  isLazy({ pod, workload }: KnownPod): boolean {
    return this.modeOf(pod, workload).mode === 'Enforce';
  }

  /** Most specific wins: the pod's annotation, its workload's, its namespace's, the default. */
  modeOf(pod: Pod, workload: WorkloadKey = this.workloadOf(pod)): EffectiveMode {
    if (pod.mode) return { mode: pod.mode, source: `annotation on Pod ${podKey(pod)}` };
    const controller = this.#controllers.get(workload);
    if (controller?.mode) {
      const source = `annotation on ${controller.kind} ${controller.namespace}/${controller.name}`;
      return { mode: controller.mode, source };
    }
    const mode = this.#namespaces.get(pod.namespace)?.mode;
    if (mode) return { mode, source: `annotation on Namespace ${pod.namespace}` };
    return { mode: this.#defaultMode, source: 'default' };
  }
}

/**
 * The workload behind a ReplicaSet or Job that was not told. A Deployment's ReplicaSets are called
 * `<deployment>-<pod-template-hash>`, a CronJob's Jobs `<cronjob>-<minutes since the epoch>`: each of them would be a
 * workload that begins to learn anew.
 */
function likelyOwner(owner: Owner, podTemplateHash: string | undefined): Owner {
  const suffix = `-${podTemplateHash}`;
  if (owner.kind === 'ReplicaSet' && podTemplateHash !== undefined && owner.name.endsWith(suffix)) {
    return { kind: 'Deployment', name: owner.name.slice(0, -suffix.length) };
  }
  const cronJob = owner.kind === 'Job' ? /^(.+)-\d{8,10}$/.exec(owner.name)?.[1] : undefined;
  return cronJob === undefined ? owner : { kind: 'CronJob', name: cronJob };
}

function* podsAmong(known: Iterable<KnownPod>): Iterable<Pod> {
  for (const { pod } of known) yield pod;
}

/** `namespace/name`. */
function podKey(pod: Pick<Pod, 'namespace' | 'name'>): string {
  return [pod.namespace, pod.name].join('/');
}

/** Key of the controller that owns the pod. */
function ownerKey({ namespace, owner }: Pod): string | undefined {
  return owner && controllerKey(owner.kind, namespace, owner.name);
}

function controllerKey(kind: string, namespace: string, name: string): string {
  return [namespace, kind, name].join('/');
}
