import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { type Protocol, peerAddress } from './protocol.ts';

/** A new WebSocket a call: an open one stays on the path that it took. */
export const webSocket: Protocol = {
  async serve(port) {
    const server = new WebSocketServer({ port });
    server.on('connection', (socket, { socket: { remoteAddress } }) => {
      socket.on('message', () => socket.send(peerAddress(remoteAddress)));
    });
    await once(server, 'listening');
  },
  client({ host, address, port }) {
    const call = async (): Promise<string> => {
      const socket = new WebSocket(`ws://${address}:${port}/`, { headers: { host } });
      try {
        await once(socket, 'open');
        socket.send('who calls?');
        const [message] = await once(socket, 'message');
        return String(message);
      } finally {
        socket.close();
      }
    };
    return { call };
  },
};
