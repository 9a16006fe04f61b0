/** A folder of manifests in a temporary place, and a files source on it that hurries. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { FilesSource, type FilesSourceOptions } from '../../controller/files/files-source.ts';
import type { FilesTimings } from '../../controller/files/timings.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';
import { RecordingMeshSink } from './recording-mesh-sink.ts';

/** Short enough for tests; the second look comes late enough to see that nothing happens before it. */
export const QUICK: FilesTimings = { poll: 10, stillness: 25, secondLook: 250, restless: 10_000 };

/** A second look that never comes while a test runs. */
export const NO_SECOND_LOOK: FilesTimings = { ...QUICK, secondLook: 3_600_000 };

/** The objects as one multi-document text. */
export function yamlOf(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => `---\n${stringify(object)}`).join('');
}

/** The objects as `kubectl get -o yaml` prints them. */
export function kubectlYamlOf(items: readonly KubernetesObject[]): string {
  const list = { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } };
  return stringify(list, { indentSeq: false, lineWidth: 0 });
}

/** A folder that is removed when the test ends. */
export class ManifestFolder {
  readonly path: string;
  readonly #t: TestContext;

  private constructor(path: string, t: TestContext) {
    this.path = path;
    this.#t = t;
  }

  static async make(t: TestContext): Promise<ManifestFolder> {
    const folder = new ManifestFolder(await mkdtemp(join(tmpdir(), 'lazyscope-files-')), t);
    t.after(() => rm(folder.path, { recursive: true, force: true }));
    return folder;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes in place, as an editor or a shell's `>` does. */
  async write(name: string, text: string | Uint8Array): Promise<void> {
    await writeFile(this.file(name), text);
  }

  /** Writes beside, then renames over. */
  async replace(name: string, text: string): Promise<void> {
    await this.write(`.${name}.new`, text);
    await rename(this.file(`.${name}.new`), this.file(name));
  }

  async remove(name: string): Promise<void> {
    await rm(this.file(name));
  }

  /** A source of this folder, stopped when the test ends. */
  source(options: Partial<FilesSourceOptions> = {}): FilesSource {
    const source = new FilesSource({ path: this.path, clusterDomain: 'cluster.local', timings: QUICK, ...options });
    this.#t.after(() => source.stop());
    return source;
  }

  /** What a source of this folder tells, from when it is synced. */
  async follow(options: Partial<FilesSourceOptions> = {}): Promise<RecordingMeshSink> {
    const sink = new RecordingMeshSink();
    await this.source(options).start(sink);
    return sink;
  }
}
