/** The bed leaves nothing behind, however a run ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Bed } from '../support/bed/bed.ts';
import { lockAny } from '../support/bed/lock.ts';
import { Network, networkExists, removeNetwork } from '../support/bed/network.ts';
import { eventually } from '../support/eventually.ts';

const OCCUPANT = fileURLToPath(new URL('../support/apps/bed-occupant.ts', import.meta.url));

interface Occupant {
  readonly child: ChildProcess;
  readonly number: number;
  /** A program in the bed's pod. */
  readonly pid: number;
}

/** Another run, with a bed of its own and a program in it. */
async function startOccupant(): Promise<Occupant> {
  const child = spawn(process.execPath, [OCCUPANT], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [message] = await once(child, 'message');
  return { child, ...(message as Omit<Occupant, 'child'>) };
}

async function end({ child }: Occupant, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await once(child, 'exit');
}

/** Waits for the end; a process that nobody has waited for yet has ended too (state Z). */
async function assertEnds(pid: number): Promise<void> {
  await eventually(`process ${pid} has ended`, () => {
    const path = `/proc/${pid}/stat`;
    return !existsSync(path) || readFileSync(path, 'utf8').includes(') Z ');
  });
}

test('Beds that run at once have networks of their own', async () => {
  const occupant = await startOccupant();
  const bed = await Bed.create();
  assert.notEqual(bed.network.number, occupant.number);
  assert.ok(networkExists(occupant.number), 'a bed in use is no leftover');
  bed.destroy();
  await end(occupant, 'SIGTERM');
});

test('Ctrl-C removes the bed and ends its programs', async () => {
  const occupant = await startOccupant();
  await end(occupant, 'SIGINT');
  assert.equal(networkExists(occupant.number), false);
  await assertEnds(occupant.pid);
});

test('What a killed run leaves is removed by the next', async () => {
  const occupant = await startOccupant();
  await end(occupant, 'SIGKILL');
  assert.ok(networkExists(occupant.number), 'kill -9 leaves something');

  const bed = await Bed.create();
  bed.destroy();

  assert.equal(networkExists(occupant.number), false);
  await assertEnds(occupant.pid);
});

test('The next bed of a number has its network at once', async () => {
  const { number, release } = await lockAny();
  for (let round = 0; round < 10; round += 1) {
    const network = new Network(number);
    network.create();
    for (const pod of [1, 2, 3]) network.addPod(`pod-${pod}`, network.address(256 + pod), { interception: 'none' });
    removeNetwork(number);
    assert.equal(networkExists(number), false);
  }
  release();
});
