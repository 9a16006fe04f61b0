/** Sends bytes of the test's making, and tells what came back. */
import { connect } from 'node:net';

export interface RawAnswer {
  /** What was received, as Latin-1. */
  readonly received: string;
  /** `ended`: the other side closed; `error`: with a reset or not reached at all; `open`: neither, time is up. */
  readonly end: 'ended' | 'error' | 'open';
}

/** Connects, sends, and reads until the other side closes, or until `enough` bytes came, at most 5 s. */
export async function sendRaw(
  to: { readonly address: string; readonly port: number },
  bytes: Uint8Array,
  enough: number,
): Promise<RawAnswer> {
  let received = '';
  const socket = connect({ host: to.address, port: to.port });
  const end = await new Promise<RawAnswer['end']>((resolve) => {
    socket.setTimeout(5_000, () => resolve('open'));
    socket.once('error', () => resolve('error'));
    socket.once('end', () => resolve('ended'));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (received.length >= enough) resolve('open');
    });
    socket.write(bytes);
  });
  socket.destroy();
  return { received, end };
}
