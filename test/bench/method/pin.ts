import { availableParallelism } from 'node:os';
import { run } from '../../support/bed/command.ts';

/** Core of what is measured. */
export const MEASURED_CORE = 1;
/** Core of load, origin and controller. */
export const LOAD_CORE = 0;

/**
 * Keeps every thread of a process on one core.
 * @throws Error on a machine with one core, where load and what is measured would be in each other's way
 */
export function pin(pid: number, core: number): void {
  if (availableParallelism() < 2)
    throw new Error('This benchmark needs two cores: one for the load, one for what is measured.');
  run('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}
