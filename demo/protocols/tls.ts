import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect, createServer } from 'node:tls';
import { type Protocol, peerAddress } from './protocol.ts';

/** TLS from application to application; sidecar and egress see the server name only. */
export const tls: Protocol = {
  async serve(port, { key, cert }) {
    const server = createServer({ key, cert }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(peerAddress(socket.remoteAddress));
    });
    await once(server.listen(port), 'listening');
  },
  client({ name, host, address, port }) {
    const call = async (): Promise<string> => {
      // The demo's own self-signed certificate: what is shown is the path, not the trust.
      const answer = await text(connect({ host: address, port, servername: host, rejectUnauthorized: false }));
      if (answer === '') throw new Error(`${name} closed without an answer`);
      return answer;
    };
    return { call };
  },
};
