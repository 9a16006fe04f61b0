import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartPhases } from '../../controller/start-phases.ts';

test('a start is told by when each phase was reached first, and what processor time it took', () => {
  let now = 0;
  const phases = new StartPhases({ elapsed: () => now, cpu: () => now / 2 });
  const at = (elapsed: number, step: () => void): void => {
    now = elapsed;
    step();
  };
  at(400.4, () => phases.reached('loaded'));
  at(600, () => phases.listed('pods'));
  at(700, () => phases.listed('pods'));
  at(800, () => phases.reached('synced'));
  at(900, () => phases.reached('synced'));
  assert.deepEqual(phases.report(), { phases: { loaded: 400, synced: 800 }, listed: { pods: 600 }, cpu: 450 });
});

test('by the clocks of this process, processor time is at most what its threads could have had', () => {
  const phases = new StartPhases();
  phases.reached('loaded');
  const { phases: reached, cpu } = phases.report();
  assert.ok((reached.loaded ?? 0) > 0);
  assert.ok(cpu > 0);
});
