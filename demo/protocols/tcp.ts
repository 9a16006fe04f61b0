import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Protocol, peerAddress } from './protocol.ts';

/** Server-first, as MySQL or SMTP: the client says nothing before it has read the greeting. */
export const tcp: Protocol = {
  async serve(port) {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(peerAddress(socket.remoteAddress));
    });
    await once(server.listen(port), 'listening');
  },
  client({ name, address, port }) {
    const call = async (): Promise<string> => {
      const greeting = await text(connect({ host: address, port }));
      if (greeting === '') throw new Error(`${name} closed without a greeting`);
      return greeting;
    };
    return { call };
  },
};
