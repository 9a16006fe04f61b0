import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** A connection to a server on 127.0.0.1 on which a request was answered, and which is kept without use. */
export async function keptConnection(port: number): Promise<Socket> {
  const agent = new Agent({ keepAlive: true });
  const [answer] = (await once(get({ port, agent, path: '/livez' }), 'response')) as [IncomingMessage];
  await once(answer.resume(), 'end');
  const [kept] = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  if (!kept) throw new Error('The server has closed the connection');
  return kept;
}
