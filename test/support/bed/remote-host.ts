/** The pod's side of `remote-module.ts`: imports the module named by the first argument, and calls what is asked. */
import type { RemoteAnswer, RemoteCall } from './remote-module.ts';

type AnyFunction = (...args: unknown[]) => unknown;

const [, , moduleUrl = '', user] = process.argv;

function answer(message: RemoteAnswer): void {
  process.send?.(message);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function call(functions: Record<string, AnyFunction>, { id, name, args }: RemoteCall): Promise<void> {
  try {
    answer({ id, value: await functions[name]?.(...args) });
  } catch (error) {
    answer({ id, error: describe(error) });
  }
}

const functions: Record<string, AnyFunction> = await import(moduleUrl);
// Only now: another user may not be allowed to read the module.
if (user !== undefined) {
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
process.on('message', (message) => void call(functions, message as RemoteCall));
process.on('disconnect', () => process.exit());
answer({ id: 0 });
