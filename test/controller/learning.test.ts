import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Attribution } from '../../controller/core/graph/attribution.ts';
import { DependencyGraph } from '../../controller/core/graph/graph.ts';
import type { AccessLogEntry } from '../../controller/core/model.ts';
import type { Problem } from '../../controller/core/ports.ts';
import { Learning } from '../../controller/learning.ts';
import { entry } from '../support/mesh-objects.ts';

const WORKLOAD = 'shop/Deployment/front';

/** Everything that it is told is of one workload, except what comes from 10.9.9.9. */
function attribute({ source, destination }: AccessLogEntry): Attribution {
  if (source.address === '10.9.9.9') return { kind: 'UnknownSource' };
  if (!destination.address.startsWith('10.96.')) {
    return {
      kind: 'Edge',
      source: WORKLOAD,
      destination: { kind: 'Address', ...destination },
      relayReason: 'External',
    };
  }
  const service = `shop/${destination.address}.shop.svc.cluster.local`;
  return { kind: 'Edge', source: WORKLOAD, destination: { kind: 'Service', service, port: destination.port } };
}

function learning(graph = new DependencyGraph()) {
  const problems: Problem[] = [];
  const learned = new Learning({
    graph,
    attribute,
    isReady: () => true,
    news: () => undefined,
    touched: () => undefined,
    problem: (problem) => problems.push(problem),
    now: () => 1_000,
  });
  return { learned, problems };
}

const toward = (destination: string): AccessLogEntry => entry('10.0.0.1', destination);

describe('a limit of what is learned', () => {
  it('dependencies: further ones are dropped, counted and named', () => {
    const { learned, problems } = learning(new DependencyGraph(1));
    learned.take([toward('10.96.0.1:80'), toward('10.96.0.2:80'), toward('10.96.0.1:80')], 1_000);
    assert.deepEqual(learned.counts.limits, { WaitingEntries: 0, RelayedAddresses: 0, Dependencies: 1 });
    assert.deepEqual([learned.counts.entries.attributed, learned.counts.entries.dropped], [2, 1]);
    assert.match(problems[0]?.reason ?? '', /^there are 1 dependencies; .* stays on the egress$/);
  });

  it('addresses of one workload: further ones are dropped, counted and named', () => {
    const { learned, problems } = learning();
    learned.take(
      Array.from({ length: 1_002 }, (_, port) => toward(`198.18.0.1:${port + 1}`)),
      1_000,
    );
    assert.deepEqual(learned.counts.limits, { WaitingEntries: 0, RelayedAddresses: 2, Dependencies: 0 });
    assert.deepEqual([...new Set(problems.map(({ subject }) => subject))], [WORKLOAD]);
  });

  it('addresses in all: further ones are dropped, counted and named; services are learned all the same', () => {
    const { learned, problems } = learning(new DependencyGraph(2));
    learned.take([toward('198.18.0.1:443'), toward('198.18.0.2:443'), toward('10.96.0.1:80')], 1_000);
    assert.deepEqual(learned.counts.limits, { WaitingEntries: 0, RelayedAddresses: 1, Dependencies: 0 });
    assert.deepEqual([learned.counts.edgesLearned, learned.counts.entries.dropped], [2, 1]);
    const reason = '1 addresses without a service are known of all workloads; further ones are not recorded';
    assert.deepEqual(problems, [{ subject: 'graph', reason }]);
  });

  it('entries of unknown sources: the oldest are dropped and counted', () => {
    const { learned } = learning();
    learned.take(
      Array.from({ length: 10_003 }, () => entry('10.9.9.9', '10.96.0.1:80')),
      1_000,
    );
    assert.deepEqual(learned.counts.limits, { WaitingEntries: 3, RelayedAddresses: 0, Dependencies: 0 });
    assert.deepEqual([learned.counts.entries.waiting, learned.counts.entries.dropped], [10_003, 3]);
  });
});
