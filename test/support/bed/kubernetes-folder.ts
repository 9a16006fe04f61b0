/** A folder of Kubernetes objects as the files source reads it, written file by file as a whole. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { KubernetesObject } from './kubernetes-objects.ts';

export class KubernetesFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true });
  }

  /** Each object in a file of its own, named after it; an object of the same name is replaced. */
  apply(...objects: readonly KubernetesObject[]): void {
    for (const object of objects) this.write(fileName(object), [object]);
  }

  delete(...objects: readonly KubernetesObject[]): void {
    for (const object of objects) this.remove(fileName(object));
  }

  /** One file with many objects: cheaper than many files. */
  write(file: string, objects: readonly KubernetesObject[]): void {
    // No aliases: an object that stands twice is written twice, as kubectl does.
    this.writeText(file, objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'));
  }

  /** Any text, valid or not. It appears at once and complete. */
  writeText(file: string, text: string): void {
    const target = join(this.path, file);
    const draft = join(dirname(this.path), `${basename(this.path)}.${file}.draft`);
    writeFileSync(draft, text);
    renameSync(draft, target);
  }

  remove(file: string): void {
    rmSync(join(this.path, file), { force: true });
  }
}

function fileName({ kind, metadata }: KubernetesObject): string {
  return `${kind}-${metadata.namespace ?? ''}-${metadata.name}.yaml`.toLowerCase();
}
