/** Runs in a pod: makes the admin interface of an Envoy that listens on the pod's loopback reachable from outside. */
import { connect, createServer } from 'node:net';

/** Connections to the unix socket go to the port. */
export async function relayAdmin(socketPath: string, port: number): Promise<void> {
  const server = createServer((client) => {
    const admin = connect({ host: '127.0.0.1', port });
    for (const socket of [client, admin]) socket.on('error', () => [client, admin].map((either) => either.destroy()));
    client.pipe(admin).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
}
