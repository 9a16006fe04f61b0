/** A source without what an API server has by itself: its own namespaces and its own Service. */
import type { MeshEvent, MeshSink, MeshSource } from '../../../controller/core/ports.ts';

export class SourceOfNamespace implements MeshSource {
  readonly #source: MeshSource;
  readonly #namespace: string;

  /** @param namespace the only one that is told */
  constructor(source: MeshSource, namespace: string) {
    this.#source = source;
    this.#namespace = namespace;
  }

  async start(sink: MeshSink): Promise<void> {
    await this.#source.start({
      events: (batch) => {
        const inside = batch.filter((event) => this.#isInside(event));
        if (inside.length > 0) sink.events(inside);
      },
      synced: (at) => sink.synced(at),
      problem: (problem) => sink.problem(problem),
      unreadable: (kinds) => sink.unreadable(kinds),
    });
  }

  async stop(): Promise<void> {
    await this.#source.stop();
  }

  #isInside(event: MeshEvent): boolean {
    const { namespace } = event.type === 'Applied' ? event.object : event.ref;
    return namespace === this.#namespace;
  }
}
