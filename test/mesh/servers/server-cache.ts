/**
 * Built servers, kept for the user under `${XDG_CACHE_HOME:-~/.cache}/lazyscope/<name>-<hash of the pins>/`: built once
 * for all work trees, found in milliseconds afterwards, and built anew when a pin, a flag or a file of its own
 * changes.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryLockName } from '../../support/bed/lock.ts';
import { goBuild, goModuleFolder } from './go.ts';
import type { ServerModule } from './server-module.ts';

const LOCK_INTERVAL_MS = 200;

/** Where the module's commands and files are once they are built. */
export function cacheFolder(module: ServerModule): string {
  const { folder, ...recipe } = module;
  const hash = createHash('sha256').update(JSON.stringify([recipe, process.arch]));
  for (const file of filesIn(folder)) hash.update(readFileSync(file));
  // XDG: a relative path is to be ignored, as an empty one. https://specifications.freedesktop.org/basedir-spec/latest/
  const set = process.env['XDG_CACHE_HOME'];
  const root = set?.startsWith('/') ? set : join(homedir(), '.cache');
  return join(root, 'lazyscope', `${module.name}-${hash.digest('hex').slice(0, 12)}`);
}

/** Pins and source code, in a stable order. */
function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => join(entry.parentPath, entry.name)).sort();
}

/**
 * The module's folder in the cache, built now if it is not there; others who want it meanwhile wait for that.
 * @throws Error that says in one sentence why it cannot be built
 */
export async function builtServers(module: ServerModule): Promise<string> {
  const folder = cacheFolder(module);
  if (existsSync(folder)) return folder;
  mkdirSync(join(folder, '..'), { recursive: true });
  const lock = await waitForLock(module.name, folder);
  try {
    if (!existsSync(folder)) await build(module, folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The real servers of ${module.name} cannot be built: ${reason}.`, { cause: error });
  } finally {
    lock.release();
  }
  return folder;
}

async function waitForLock(name: string, folder: string): Promise<{ release(): void }> {
  // A hash: the name of such a lock may not be longer than 107 bytes.
  const path = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const attempt = (): ReturnType<typeof tryLockName> => tryLockName(`lazyscope-build-${path}`);
  let lock = await attempt();
  if (!lock) say(`waiting for another run to finish building ${name}`);
  for (; !lock; lock = await attempt()) await delay(LOCK_INTERVAL_MS);
  return lock;
}

/** The folder appears complete or not at all. */
async function build(module: ServerModule, folder: string): Promise<void> {
  const startedAt = performance.now();
  const names = module.packages.map((path) => basename(path)).join(' and ');
  const [partial, logFile] = [`${folder}.partial`, `${folder}.log`];
  say(`building ${names} from Go modules, once, which takes minutes; Go's output is in ${logFile}`);
  for (const leftover of [partial, logFile]) rmSync(leftover, { recursive: true, force: true });
  mkdirSync(partial);
  await goBuild(module, partial, logFile);
  for (const { of, path } of module.files) {
    const from = join(await goModuleFolder(module, of, logFile), path);
    copyFileSync(from, join(partial, basename(path)));
  }
  renameSync(partial, folder);
  say(`built ${names} in ${Math.round((performance.now() - startedAt) / 1000)} s, into ${folder}`);
}

function say(text: string): void {
  process.stderr.write(`mesh: ${text}\n`);
}
