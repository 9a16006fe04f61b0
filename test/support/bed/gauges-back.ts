/** Whether a program under load has come back to what it held before. */
import assert from 'node:assert/strict';
import type { Gauges } from '../apps/resource-gauge.ts';
import { eventually } from '../eventually.ts';

/** V8 keeps compiled code and inline caches of what has become hot: so much more is no leak. */
const MORE_HEAP = { share: 0.1, bytes: 5_000_000 };

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function text({ heap, external, descriptors, handles }: Gauges): string {
  const kinds = Object.entries(handles).map(([kind, count]) => `${count} ${kind}`);
  return `heap ${megabytes(heap)}, buffers ${megabytes(external)}, ${descriptors} descriptors, ${kinds.sort().join(', ')}`;
}

const most = (bytes: number): number => bytes + Math.max(bytes * MORE_HEAP.share, MORE_HEAP.bytes);

/**
 * Waits until descriptors, sockets, heap and buffers are back to what they were; a timer that happens to run is no leak,
 * several are.
 * @param now what it holds once nothing of the load is left
 * @throws AssertionError that tells both
 */
export async function assertBack(
  before: Gauges,
  now: () => Promise<Gauges>,
): Promise<{ readonly after: Gauges; readonly report: string }> {
  let after = before;
  const isBack = async (): Promise<boolean> => {
    after = await now();
    const sockets = (gauges: Gauges): number => gauges.handles['TCPSocketWrap'] ?? 0;
    const timers = (gauges: Gauges): number => gauges.handles['Timeout'] ?? 0;
    return (
      after.heap <= most(before.heap) &&
      after.external <= most(before.external) &&
      after.descriptors <= before.descriptors &&
      sockets(after) <= sockets(before) &&
      timers(after) <= timers(before) + 2
    );
  };
  // Sockets close, and timers run out, a moment after what they served.
  const back = await eventually('as before', isBack, { timeoutMs: 20_000, intervalMs: 500 }).catch(() => false);
  const report = `before: ${text(before)}\nafter:  ${text(after)}`;
  assert.ok(back, `not back to the start:\n${report}`);
  return { after, report };
}
