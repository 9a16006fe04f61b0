/** One receiver of access logs, on a core of its own, to which a recorded stream is replayed from another. */
import { BenchProgram } from '../method/bench-program.ts';
import type { Block } from '../method/paired-blocks.ts';
import { LOAD_CORE, MEASURED_CORE } from '../method/pin.ts';
import { peer } from '../peers/peers.ts';
import type { EdgeReport } from './edge-set.ts';

/** The controller's service, or a full decode: with protobufjs behind the same gRPC server, or in Go. */
export type LogReceiver = 'controller' | 'protobufjs' | 'go';

const RECEIVER = new URL('../programs/log-receiver.ts', import.meta.url).pathname;

export class LogSide {
  readonly #receiver: BenchProgram;
  readonly #sender: BenchProgram;
  readonly #recording: Recorded;

  private constructor(receiver: BenchProgram, sender: BenchProgram, recording: Recorded) {
    this.#receiver = receiver;
    this.#sender = sender;
    this.#recording = recording;
  }

  static async start(kind: LogReceiver, recording: Recorded): Promise<LogSide> {
    const command = kind === 'go' ? await peer('log-receiver') : process.execPath;
    const args = kind === 'go' ? [] : [RECEIVER, kind];
    const receiver = await BenchProgram.start<{ port: number }>(MEASURED_CORE, command, args);
    const target = `127.0.0.1:${receiver.hello.port}`;
    try {
      const sender = await BenchProgram.start(LOAD_CORE, await peer('log-sender'), [
        ...['-target', target, '-stream', recording.file],
      ]);
      return new LogSide(receiver.program, sender.program, recording);
    } catch (error) {
      await receiver.program.stop();
      throw error;
    }
  }

  /**
   * Replays the stream, again and again, for so many milliseconds.
   * @throws Error unless every entry was read, and the edges are those that were recorded
   */
  async replay(ms: number): Promise<Block> {
    const before = await this.#report();
    const [began, cpuBefore] = [performance.now(), this.#receiver.cpuSeconds()];
    let units = 0;
    for (; performance.now() - began < ms; units += this.#recording.entries) {
      await this.#sender.call('send', { times: 1 });
    }
    const cpuSeconds = this.#receiver.cpuSeconds() - cpuBefore;
    this.#assertRight(await this.#report(), before.entries + units);
    return { units, cpuSeconds };
  }

  #report(): Promise<EdgeReport & { readonly entries: number }> {
    return this.#receiver.call('edges');
  }

  #assertRight({ entries, edges, digest }: EdgeReport & { readonly entries: number }, expected: number): void {
    const { report } = this.#recording;
    if (entries === expected && edges === report.edges && digest === report.digest) return;
    throw new Error(`${entries} of ${expected} entries were read, and ${edges} of ${report.edges} edges are right`);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#sender.stop(), this.#receiver.stop()]);
  }
}

/** A recorded stream. */
export interface Recorded {
  readonly file: string;
  readonly entries: number;
  readonly report: EdgeReport;
}
