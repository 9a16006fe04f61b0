import type { Logger } from 'pino';

/** What either program is while it runs. */
export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Stops on SIGTERM and SIGINT, then ends the process: with 0, or with 1 if stopping fails.
 * @param program may still be starting: a signal then waits for the end of the start, so that nothing is left half open
 */
export function stopOnSignal(program: Stoppable | Promise<Stoppable>, logger: Logger): void {
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    logger.info({ signal }, 'Signal received');
    const running = await program;
    await running.stop();
  };
  const end = (signal: NodeJS.Signals): void => {
    stop(signal).then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'Stopping failed');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}
