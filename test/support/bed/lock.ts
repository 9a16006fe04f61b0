/**
 * Several beds (test files, demo, bench) live on one machine at once, each with its own number: `10.<number>.0.0/16`.
 * A number is held by an abstract socket, which the kernel frees when its owner dies, however it dies. So whoever gets
 * a number knows that everything under its name is a leftover.
 * https://man7.org/linux/man-pages/man7/unix.7.html
 */
import { createServer } from 'node:net';

/** 10.64 to 10.127: away from the networks that container tools take by default. */
export const BED_NUMBERS: readonly number[] = Array.from({ length: 64 }, (_, index) => 64 + index);

export interface BedLock {
  readonly number: number;
  release(): void;
}

/** The lock of a number, or `undefined` while somebody alive holds it. */
export async function tryLock(number: number): Promise<BedLock | undefined> {
  const lock = await tryLockName(`lazyscope-bed-${number}`);
  return lock && { number, ...lock };
}

/** The lock of any name on this machine, or `undefined` while somebody alive holds it. */
export async function tryLockName(name: string): Promise<Pick<BedLock, 'release'> | undefined> {
  const server = createServer();
  const held = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ path: `\0${name}` }, () => resolve(true));
  });
  if (!held) return undefined;
  server.unref();
  return { release: () => void server.close() };
}

/** @throws Error when all numbers are held */
export async function lockAny(): Promise<BedLock> {
  for (const number of BED_NUMBERS) {
    const lock = await tryLock(number);
    if (lock) return lock;
  }
  throw new Error('All 64 bed numbers are taken: end some test, demo or bench runs first.');
}
