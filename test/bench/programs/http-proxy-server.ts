/** Runs in the egress's place: `http-proxy` of npm behind the same PROXY header, with connections that are kept. */
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import httpProxy from 'http-proxy';
import type { SocketAddress } from '../../../controller/core/model.ts';
import { parseProxyHeader } from '../../../egress/proxy-protocol.ts';

export async function serve(listen: SocketAddress, origin: SocketAddress): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1_000, maxFreeSockets: 1_000 });
  const proxy = httpProxy.createProxyServer({ target: { host: origin.address, port: origin.port }, agent });
  proxy.on('error', (_error, _request, response) => response.destroy());
  const http = createServer((request, response) => proxy.web(request, response));
  http.keepAliveTimeout = 0;
  const tcp = createTcpServer({ noDelay: true }, (socket) => {
    socket.once('data', (chunk: Buffer) => behindHeader(socket, chunk, () => http.emit('connection', socket)));
    socket.on('error', () => socket.destroy());
  });
  await once(tcp.listen(listen.port, listen.address), 'listening');
}

/** The load sends header and first request at once. */
function behindHeader(socket: Socket, chunk: Buffer, then: () => void): void {
  const header = parseProxyHeader(chunk);
  if (header.kind !== 'Complete') {
    socket.destroy();
    return;
  }
  socket.unshift(chunk.subarray(header.length));
  then();
}
