/** The other end of `bench-program.ts`: answers commands that come over standard input, one after the other. */
import { createInterface } from 'node:readline';
import { reasonOf } from '../../../controller/core/error.ts';

/** By name; each takes the fields of its command, and its result is the answer. */
export type Commands = Readonly<Record<string, (fields: never) => unknown>>;

/** Says hello and serves until standard input ends; then the process ends. */
export async function serveCommands(hello: object, commands: Commands): Promise<void> {
  say({ ok: hello });
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...fields } = JSON.parse(line);
    try {
      const command = commands[name];
      if (!command) throw new Error(`there is no command ${name}`);
      say({ ok: await command(fields as never) });
    } catch (error) {
      say({ error: reasonOf(error) });
    }
  }
  process.exit();
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
