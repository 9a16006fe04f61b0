import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDot } from '../../../controller/cli/graph-dot.ts';
import { renderMermaid } from '../../../controller/cli/graph-mermaid.ts';
import { renderTable } from '../../../controller/cli/table.ts';
import { ago, counted } from '../../../controller/cli/time-text.ts';
import { edges, now, shop } from '../http/shop.ts';
import { startServer } from '../http/start-server.ts';
import { runCli } from './run-cli.ts';

test('columns are two spaces apart, lines end without spaces, long cells stay whole', () => {
  const long = 'x'.repeat(300);
  assert.equal(
    renderTable(
      ['A', 'BB'],
      [
        ['1', long],
        ['long', ''],
      ],
    ),
    `A     BB\n1     ${long}\nlong\n`,
  );
});

test('colours do not move columns', () => {
  const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
  assert.equal(renderTable(['A', 'B'], [[{ text: 'ab', style: red }, 'c']]), `A   B\n${red('ab')}  c\n`);
});

const times: readonly (readonly [seconds: number, text: string])[] = [
  [-5, '0s ago'],
  [0, '0s ago'],
  [59, '59s ago'],
  [60, '1m ago'],
  [3_599, '59m ago'],
  [3_600, '1h ago'],
  [86_399, '23h ago'],
  [86_400, '1d ago'],
  [40_000_000, '462d ago'],
];

for (const [seconds, text] of times) {
  test(`${seconds} seconds are ${text}`, () => {
    assert.equal(ago(new Date(now - seconds * 1_000).toISOString(), now), text);
  });
}

test('counts agree with their nouns', () => {
  assert.deepEqual(
    [0, 1, 1_204].map((value) => counted(value, 'proxy', 'proxies')),
    ['0 proxies', '1 proxy', '1,204 proxies'],
  );
});

const [template] = edges;
assert.ok(template);
const hostile = '192.0.2.1:80 (a"];\\n`<b>#&\u001b[31m\n)';
const hostileGraph = {
  nodes: [
    { id: hostile, kind: 'Address' },
    { id: 'shop/Deployment/cart', kind: 'Workload', namespace: 'shop' },
  ],
  edges: [{ ...template, from: 'shop/Deployment/cart', to: hostile, port: 80 }],
} as const;

test('a host that a client made up cannot leave its quotes in DOT', () => {
  const [, , node = ''] = renderDot(hostileGraph).split('\n');
  assert.match(node, /^ {2}("([^"\\]|\\.)*") \[label=("([^"\\]|\\.)*"), shape=plain\];$/);
});

test('a host that a client made up cannot leave its quotes in Mermaid', () => {
  const [, node] = renderMermaid(hostileGraph).split('\n');
  assert.equal(node, '  n0{{"a#34;#93;#59;#92;n#96;#60;b#62;#35;#38;#65533;#91;31m#65533;<br/>192.0.2.1:80"}}');
});

test('names from the network cannot steer the terminal', async (t) => {
  const edge = { ...template, from: 'shop/Deployment/checkout', to: hostile };
  const detail = shop.workload('shop/Deployment/checkout');
  assert.ok(detail);
  const readModel = { ...shop, edges: () => [edge], workload: () => ({ ...detail, edges: [edge] }) };
  const server = await startServer(t, { readModel });
  for (const args of [['edges'], ['explain', 'deploy/checkout.shop']]) {
    const { stdout } = await runCli([...args, '--server', server]);
    assert.match(stdout, /192\.0\.2\.1/);
    assert.ok(!stdout.includes('\u001b'));
  }
});

test('--no-color takes the emphasis away and leaves the words', async (t) => {
  const server = await startServer(t);
  const styled = await runCli(['status', '--server', server], { styled: true });
  const plain = await runCli(['status', '--server', server, '--no-color'], { styled: true });
  assert.match(styled.stdout, /<red>Rejected<\/red>/);
  assert.match(plain.stdout, / Rejected /);
});

test('structured output is the answer of the API', async (t) => {
  const server = await startServer(t);
  for (const [command, path] of [
    ['edges', 'edges'],
    ['graph', 'graph'],
  ] as const) {
    const { stdout } = await runCli([command, '-o', 'json', '--server', server]);
    assert.deepEqual(JSON.parse(stdout), await (await fetch(`${server}/api/v1/${path}`)).json());
  }
});
