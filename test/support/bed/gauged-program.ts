/** One of our programs as a process that can be asked what it holds. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Gauges } from '../apps/resource-gauge.ts';
import type { Bed } from './bed.ts';
import type { BedProcess } from './bed-process.ts';
import { lazyscope } from './program.ts';

const GAUGE = fileURLToPath(new URL('../apps/resource-gauge.ts', import.meta.url));

export interface GaugedOptions {
  readonly command: 'controller' | 'egress';
  readonly flags: Readonly<Record<string, string>>;
  /** Network namespace; absent: this machine's own. */
  readonly namespace?: string;
}

export class GaugedProgram {
  readonly process: BedProcess;

  constructor(bed: Bed, { command, flags, namespace }: GaugedOptions) {
    const [node = '', ...args] = lazyscope(command, flags);
    this.process = bed.start({
      name: command,
      command: [node, '--expose-gc', '--import', GAUGE, ...args],
      channel: true,
      ...(namespace === undefined ? {} : { namespace }),
    });
  }

  /** What it holds now, after its garbage was collected. */
  async gauges(): Promise<Gauges> {
    this.process.assertRunning();
    const answer = once(this.process.child, 'message');
    this.process.child.send('gauges');
    const [gauges] = await answer;
    return gauges as Gauges;
  }
}
