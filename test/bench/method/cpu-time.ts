/** What a process has cost, from `/proc` (proc_pid_stat(5)). */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second: Linux shows 100 to user space on every platform that we run on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system, that a process and those it has started and that still run have used; to 10 ms. */
export function cpuSeconds(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + ownTicks(each), 0) / TICKS_PER_SECOND;
}

/** With those of ended children that were waited for; 0 for a process that is gone. */
function ownTicks(pid: number): number {
  return fieldsAfterName(pid)
    .slice(11, 15)
    .reduce((sum, ticks) => sum + Number(ticks), 0);
}

function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(fieldsAfterName(Number(name))[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (parent: number): number[] => (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

/** The fields after the name, which may hold blanks and brackets itself: `[0]` is the state. */
function fieldsAfterName(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
