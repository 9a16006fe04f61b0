/** What commands print on. Data goes to stdout, everything said about it to stderr, so that pipes carry data only. */
import { styleText } from 'node:util';
import type { Timestamp } from '../core/model.ts';

/** Emphasis that we use; it never carries meaning that the words do not. */
type Emphasis = 'bold' | 'red' | 'yellow' | 'green' | 'dim';

export interface Terminal {
  /** Writes data, as it is. */
  out(text: string): void;
  /** Writes one line for people. */
  message(text: string): void;
  now(): Timestamp;
  /** `text` emphasised, where stdout shows it. */
  style(emphasis: Emphasis, text: string): string;
  /** What the process ends with: 0 done, 1 not found, unreachable or not ready, 2 usage. */
  exitCode: number;
}

/** The terminal of this process. `styleText` knows about pipes, `NO_COLOR` and `FORCE_COLOR`. */
export function processTerminal(): Terminal {
  return {
    out: (text) => process.stdout.write(text),
    message: (text) => process.stderr.write(`${text}\n`),
    now: () => Date.now(),
    style: (emphasis, text) => styleText(emphasis, text, { stream: process.stdout }),
    exitCode: 0,
  };
}

/** `text` without control characters: names come from the network and must not steer a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{fffd}');
}
