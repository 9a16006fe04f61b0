/** A {@link SnapshotSource} that is set by hand and remembers what it was told. */
import type { NodeIdentity, Snapshot } from '../../../controller/core/model.ts';
import type { DirtyClients, HeldResources, SnapshotSource } from '../../../controller/core/ports.ts';

export class MeshSource implements SnapshotSource {
  /** By pod name; what is not there is not known yet. */
  readonly snapshots = new Map<string, Snapshot>();
  /** `connected cart-0`, `warmed cart-0 a,b`, `disconnected cart-0`, `asked cart-0`, in order. */
  readonly told: string[] = [];
  readonly held: HeldResources[] = [];
  readonly #nodes = new Map<number, NodeIdentity>();
  #listener: (dirty: DirtyClients) => void = () => {};
  #onTold: () => void = () => {};

  snapshot(node: NodeIdentity): Snapshot | undefined {
    this.#tell(`asked ${node.pod}`);
    return this.snapshots.get(node.pod);
  }

  /** Each pod is a workload of its own, of kind Pod. */
  streamsOf(dirty: DirtyClients): Iterable<number> {
    const concerned = [...this.#nodes].filter(([, node]) => concerns(dirty, node));
    return concerned.map(([stream]) => stream);
  }

  onDirty(listener: (dirty: DirtyClients) => void): void {
    this.#listener = listener;
  }

  clientConnected(node: NodeIdentity, stream: number, held: HeldResources): void {
    this.#nodes.set(stream, node);
    this.held.push(held);
    this.#tell(`connected ${node.pod}`);
  }

  clientWarmed(node: NodeIdentity, _stream: number, clusters: ReadonlySet<string>): void {
    this.#tell(`warmed ${node.pod} ${[...clusters].sort().join(',')}`);
  }

  clientDisconnected(node: NodeIdentity, stream: number): void {
    this.#nodes.delete(stream);
    this.#tell(`disconnected ${node.pod}`);
  }

  dirty(dirty: Partial<DirtyClients>): void {
    this.#listener({ all: false, egress: false, workloads: new Set(), ...dirty });
  }

  /** Resolves once this has been told so many times. */
  async hears(message: string, times = 1): Promise<void> {
    while (this.told.filter((told) => told === message).length < times) {
      await new Promise<void>((resolve) => {
        this.#onTold = resolve;
      });
    }
  }

  #tell(message: string): void {
    this.told.push(message);
    this.#onTold();
  }
}

function concerns({ all, egress, workloads }: DirtyClients, { kind, namespace, pod }: NodeIdentity): boolean {
  return all || (kind === 'egress' ? egress : workloads.has(`${namespace}/Pod/${pod}`));
}
