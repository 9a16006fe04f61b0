/** Which files there are, and whether one has changed, without reading any. */

import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { reasonOf } from '../core/error.ts';
import type { Problem } from '../core/ports.ts';

/** Text that differs whenever a file was written or replaced by another: device, inode, size, time of modification. */
export type Signature = string;

/** A file as `stat` shows it. */
export interface FileStatus {
  readonly signature: Signature;
  /** Text that differs when the content was written, whatever name it has: size and time of modification. */
  readonly written: string;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** What a folder holds now. Files that could not be looked at are problems, and are in `unknown`. */
export interface Listing {
  /** By path, in name order. */
  readonly files: ReadonlyMap<string, FileStatus>;
  readonly problems: readonly Problem[];
  /** Files and folders that may exist but cannot be looked at; what was known of them stays. */
  readonly unknown: readonly string[];
}

/** Names that we read. Dot files, and what editors write beside a file, are none. */
export function isManifestName(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name) && !/^[.#~]/.test(name);
}

/** What {@link isManifestName} and the text of the file decide on. */
export function isJsonName(path: string): boolean {
  return /\.json$/i.test(path);
}

/** Signature and time of what `stat` returned. */
export function fileStatus(stats: Stats): FileStatus {
  const written = `${stats.size}:${stats.mtimeMs}`;
  return { signature: `${stats.dev}:${stats.ino}:${written}`, written, modifiedAt: stats.mtimeMs };
}

/**
 * All manifest files under a path: the file itself, or those in a folder and its subfolders, at any depth. Links to
 * files are followed (mounted ConfigMaps are such), links to folders are not.
 * @throws the error of the file system when the path itself cannot be looked at
 */
export async function listFiles(path: string): Promise<Listing> {
  const root = await stat(path);
  if (!root.isDirectory() && !root.isFile()) throw new Error(`${path} is neither a file nor a folder`);
  if (root.isFile()) return { files: new Map([[path, fileStatus(root)]]), problems: [], unknown: [] };
  const found = new Map<string, FileStatus>();
  const problems: Problem[] = [];
  const unknown: string[] = [];
  await walk(path, await readdir(path, { withFileTypes: true }), {
    file: (file, status) => found.set(file, status),
    failed: (subject, error) => {
      problems.push({ subject, reason: `cannot be read, what is known of it stays: ${reasonOf(error)}` });
      unknown.push(subject);
    },
  });
  return { files: new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1))), problems, unknown };
}

interface Visitor {
  file(path: string, status: FileStatus): void;
  failed(path: string, error: unknown): void;
}

async function walk(folder: string, entries: readonly Dirent[], visitor: Visitor): Promise<void> {
  for (const entry of entries) {
    const path = join(folder, entry.name);
    try {
      if (entry.isDirectory()) await walkFolder(path, visitor);
      else if (isManifestName(entry.name)) await visitFile(path, visitor);
    } catch (error) {
      if (!isAbsent(error)) visitor.failed(path, error);
    }
  }
}

async function walkFolder(path: string, visitor: Visitor): Promise<void> {
  if (basename(path).startsWith('.')) return;
  await walk(path, await readdir(path, { withFileTypes: true }), visitor);
}

async function visitFile(path: string, visitor: Visitor): Promise<void> {
  const stats = await stat(path);
  if (stats.isFile()) visitor.file(path, fileStatus(stats));
}

/** Removed between listing and looking, or a link that leads nowhere. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
