/** Runs in pods: a server that answers with the address of its caller, and a client that calls until that is itself. */
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';

export async function serve(port: number): Promise<void> {
  const server = createServer((incoming, response) => {
    response.end((incoming.socket.remoteAddress ?? '').replace('::ffff:', ''));
  });
  server.keepAliveTimeout = 0;
  await once(server.listen(port), 'listening');
}

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  /** The caller's own address. */
  readonly own: string;
}

/** Calls without pause on one keep-alive connection. `ms` counts from before the first request to the first direct answer. */
export async function untilDirect(
  target: Target,
): Promise<{ readonly ms: number; readonly requests: number; readonly failed: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const began = performance.now();
  let failed = 0;
  for (let requests = 1; requests < 100_000; requests += 1) {
    const answer = await call(target, agent).catch(() => undefined);
    if (answer === undefined) failed += 1;
    if (answer !== target.own) continue;
    agent.destroy();
    return { ms: performance.now() - began, requests, failed };
  }
  throw new Error(`${target.host} was never reached directly; ${failed} of 100,000 requests failed`);
}

async function call({ address, port, host }: Target, agent: Agent): Promise<string> {
  const sent = request({ host: address, port, agent, headers: { host } }).end();
  const [response] = await once(sent, 'response');
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  return body;
}
