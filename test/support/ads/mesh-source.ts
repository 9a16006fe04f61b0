/** A {@link SnapshotSource} that is set by hand and remembers what it was told. */
import type { NodeIdentity, Snapshot, WorkloadKey } from '../../../controller/core/model.ts';
import type { DirtyClients, HeldResources, SnapshotSource } from '../../../controller/core/ports.ts';

export class MeshSource implements SnapshotSource {
  /** By pod name; what is not there is not known yet. */
  readonly snapshots = new Map<string, Snapshot>();
  /** `connected cart-0`, `warmed cart-0 a,b`, `disconnected cart-0`, `asked cart-0`, in order. */
  readonly told: string[] = [];
  readonly held: HeldResources[] = [];
  #listener: (dirty: DirtyClients) => void = () => {};
  #onTold: () => void = () => {};

  snapshot(node: NodeIdentity): Snapshot | undefined {
    this.#tell(`asked ${node.pod}`);
    return this.snapshots.get(node.pod);
  }

  workloadOf(node: NodeIdentity): WorkloadKey | undefined {
    return node.kind === 'sidecar' ? `${node.namespace}/Pod/${node.pod}` : undefined;
  }

  onDirty(listener: (dirty: DirtyClients) => void): void {
    this.#listener = listener;
  }

  clientConnected(node: NodeIdentity, _stream: number, held: HeldResources): void {
    this.held.push(held);
    this.#tell(`connected ${node.pod}`);
  }

  clientWarmed(node: NodeIdentity, _stream: number, clusters: ReadonlySet<string>): void {
    this.#tell(`warmed ${node.pod} ${[...clusters].sort().join(',')}`);
  }

  clientDisconnected(node: NodeIdentity): void {
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
