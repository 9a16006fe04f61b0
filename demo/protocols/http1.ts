import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Protocol, peerAddress, type Target } from './protocol.ts';

async function get({ name, host, address, port }: Target, agent: Agent): Promise<string> {
  const call = request({ host: address, port, agent, path: '/', headers: { host } });
  call.end();
  const [response] = await once(call, 'response');
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`${name} answered ${response.statusCode}: ${body}`);
  return body;
}

/** Keep-alive, one connection: the sidecar hands over between two requests on it. */
export const http1: Protocol = {
  async serve(port) {
    const server = createServer((incoming, response) => response.end(peerAddress(incoming.socket.remoteAddress)));
    await once(server.listen(port), 'listening');
  },
  client(target) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return { call: () => get(target, agent) };
  },
};
