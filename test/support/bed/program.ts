/** How the bed runs our own programs: from source, as `node bin/lazyscope.ts`, or as `LAZYSCOPE_BIN` says. */
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../bin/lazyscope.ts', import.meta.url));

/** Command line of `lazyscope <command> --<name> <value> ...`. */
export function lazyscope(command: string, flags: Readonly<Record<string, string>>): readonly string[] {
  const bin = process.env['LAZYSCOPE_BIN'] || BIN;
  return [process.execPath, bin, command, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}
