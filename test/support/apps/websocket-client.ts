import { WebSocket } from 'ws';
import { Inbox } from './inbox.ts';

const sockets = new Map<string, { readonly socket: WebSocket; readonly inbox: Inbox<string> }>();

/** Opens a WebSocket under a name of the test's; returns the first message, which names who dialled the server. */
export async function openWebSocket(name: string, url: string, host: string): Promise<string> {
  const socket = new WebSocket(url, { headers: { host } });
  const inbox = new Inbox<string>();
  sockets.set(name, { socket, inbox });
  socket.on('message', (data) => inbox.put(String(data)));
  socket.on('error', (error) => inbox.fail(error));
  socket.on('close', () => inbox.fail(new Error('the WebSocket was closed')));
  return inbox.take();
}

/** Sends a message and returns the next one that arrives. */
export async function exchangeMessage(name: string, message: string): Promise<string> {
  const open = sockets.get(name);
  if (!open) throw new Error(`there is no WebSocket ${name}`);
  open.socket.send(message);
  return open.inbox.take();
}

export function closeWebSocket(name: string): void {
  sockets.get(name)?.socket.terminate();
}
