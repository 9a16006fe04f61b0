/** Stands in for an egress: keeps the first bytes of a connection and answers with a fixed text. */
import { createServer } from 'node:net';
import { Inbox } from './inbox.ts';

const heads = new Inbox<Buffer>();

export async function listenCapture(port: number, answer: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (head: Buffer) => {
      heads.put(head);
      socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
}

/** First bytes of the next connection. */
export async function takeHead(): Promise<Uint8Array> {
  return heads.take();
}
