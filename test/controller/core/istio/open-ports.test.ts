import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenPorts } from '../../../../controller/core/istio/open-ports.ts';
import { keyOf } from './istio-world.ts';

const queue = { service: keyOf('queue'), port: 8080 };
const lazy = (...names: string[]) => new Set(names.map((name) => keyOf(name)));

const cases: readonly {
  readonly what: string;
  readonly routed: readonly ReadonlySet<string>[];
  readonly ports: readonly number[];
}[] = [
  { what: 'opens at once while nobody is lazy', routed: [], ports: [80, 8080] },
  {
    what: 'opens when every lazy workload routes to the TCP service',
    routed: [lazy('queue'), lazy('queue', 'a')],
    ports: [80, 8080],
  },
  { what: 'waits for one lazy workload that does not', routed: [lazy('queue'), lazy('a')], ports: [80] },
];

for (const { what, routed, ports } of cases) {
  test(`a port with a TCP service ${what}`, () => {
    const ready = new OpenPorts().ready([80, 8080], [queue], routed, 1_000);
    assert.deepEqual([...ready.ports], ports);
    assert.equal(ready.nextAt, ports.length === 2 ? Number.POSITIVE_INFINITY : 61_000);
  });
}

test('it waits for a minute from when the port was first wanted', () => {
  const open = new OpenPorts();
  const at = (now: number): number[] => [...open.ready([8080], [queue], [lazy('a')], now).ports];
  assert.deepEqual([at(1_000), at(60_999), at(61_000), at(62_000)], [[], [], [8080], [8080]]);
});

test('a TCP service on another port holds up nothing', () => {
  assert.deepEqual([...new OpenPorts().ready([80], [queue], [lazy('a')], 0).ports], [80]);
});
