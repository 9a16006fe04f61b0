import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DirtyClients } from '../../controller/core/ports.ts';
import { Dirt } from '../../controller/dirt.ts';

function collect(): { readonly dirt: Dirt; readonly next: () => Promise<DirtyClients>; readonly told: DirtyClients[] } {
  const dirt = new Dirt();
  const told: DirtyClients[] = [];
  let wake: (dirty: DirtyClients) => void = () => undefined;
  dirt.onDirty((dirty) => {
    told.push(dirty);
    wake(dirty);
  });
  const next = (): Promise<DirtyClients> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  return { dirt, next, told };
}

describe('Dirt', () => {
  it('tells the changes of one turn together, once', async () => {
    const { dirt, next, told } = collect();
    const tells = next();
    dirt.workload('shop/Deployment/a');
    dirt.workload('shop/Deployment/b');
    dirt.workload('shop/Deployment/a');
    dirt.egress();
    assert.deepEqual(await tells, {
      all: false,
      egress: true,
      workloads: new Set(['shop/Deployment/a', 'shop/Deployment/b']),
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told.length, 1, 'and is silent afterwards');
  });

  it('includes the egresses in everybody', async () => {
    const { dirt, next } = collect();
    const tells = next();
    dirt.all();
    assert.deepEqual(await tells, { all: true, egress: true, workloads: new Set() });
  });
});
