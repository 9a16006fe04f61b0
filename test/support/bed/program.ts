/** How the bed runs our own programs: from source, as `node bin/lazyscope.ts`. */
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../bin/lazyscope.ts', import.meta.url));

/** Command line of `lazyscope <command> --<name> <value> ...`. */
export function lazyscope(command: string, flags: Readonly<Record<string, string>>): readonly string[] {
  return [process.execPath, BIN, command, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}
