/**
 * G3, log ingest: entries that the controller's access log service reads for a CPU second, beside a full decode of the
 * same stream: with protobufjs behind the same gRPC server, and in Go with the barest of servers. All make the same set
 * of edges of it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { framed, recordLogs } from './log-ingest/log-recording.ts';
import { type LogReceiver, LogSide, type Recorded } from './log-ingest/log-side.ts';
import { type Pair, pairedBlocks, rate, rateRatio } from './method/paired-blocks.ts';
import { atLeast, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, median } from './method/statistics.ts';
import { versions } from './method/versions.ts';

const ENTRIES = 100_000;
const PAIRS = 10;
const BLOCK_MS = 3_000;

interface Peer {
  readonly kind: Exclude<LogReceiver, 'controller'>;
  readonly name: string;
  readonly target: number;
}

const PEERS: readonly Peer[] = [
  { kind: 'protobufjs', name: 'full protobufjs decode, same server', target: 3.5 },
  { kind: 'go', name: 'bare Go receiver, proto.Unmarshal', target: 3 },
];

export const logIngest: Bench = async (say) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-bench-'));
  try {
    const { messages, entries, edges } = recordLogs(ENTRIES);
    const stream = framed(messages);
    const recorded: Recorded = { file: join(folder, 'stream'), entries, report: edges.report() };
    writeFileSync(recorded.file, stream);
    const results: BenchResult[] = [];
    for (const peer of PEERS) {
      const pairs = await measure(peer.kind, recorded);
      const result = resultOf(peer, pairs, stream.length / entries);
      say(`  ${peer.name}: entries per CPU second ${JSON.stringify(result.details)}`);
      results.push(result);
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

async function measure(peer: Peer['kind'], recorded: Recorded): Promise<readonly Pair[]> {
  const sides: LogSide[] = [];
  const start = async (kind: LogReceiver): Promise<LogSide> => {
    const side = await LogSide.start(kind, recorded);
    sides.push(side);
    // Until compilers have seen the code.
    await side.replay(BLOCK_MS);
    return side;
  };
  try {
    const [ours, theirs] = [await start('controller'), await start(peer)];
    return await pairedBlocks(
      () => ours.replay(BLOCK_MS),
      () => theirs.replay(BLOCK_MS),
      PAIRS,
    );
  } finally {
    for (const side of sides) await side.stop();
  }
}

function resultOf({ name, target }: Peer, pairs: readonly Pair[], bytesPerEntry: number): BenchResult {
  return atLeast({
    goal: 'G3',
    contender: "the controller's access log service",
    peer: name,
    versions: versions(),
    unit: 'entries per CPU second',
    ratio: median(pairs.map(rateRatio)),
    ci95: bootstrap95(pairs, (some) => median(some.map(rateRatio))),
    target,
    details: {
      ours: median(pairs.map(({ ours }) => rate(ours))),
      theirs: median(pairs.map(({ theirs }) => rate(theirs))),
      bytesPerEntry,
    },
  });
}
