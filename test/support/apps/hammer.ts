/** A client that asks without a pause, on some connections, and counts what fails. */
import { Agent, get } from 'node:http';

export interface HammerTarget {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  /** Default 4. */
  readonly connections?: number;
}

export interface HammerCount {
  readonly total: number;
  /** What went wrong, for each failed request. */
  readonly failures: readonly string[];
  /** Requests by the body of their answer, `/peer`: who dialled the server. */
  readonly peers: Readonly<Record<string, number>>;
}

interface Hammer {
  running: boolean;
  total: number;
  readonly failures: string[];
  readonly peers: Record<string, number>;
  readonly workers: Promise<void>[];
}

const hammers = new Map<string, Hammer>();

async function ask({ address, port, host }: HammerTarget, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port, path: '/peer', agent, headers: { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode} ${body}`)),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

async function work(hammer: Hammer, target: HammerTarget, agent: Agent): Promise<void> {
  while (hammer.running) {
    hammer.total += 1;
    try {
      const peer = await ask(target, agent);
      hammer.peers[peer] = (hammer.peers[peer] ?? 0) + 1;
    } catch (error) {
      hammer.failures.push(String(error));
    }
    // Leaves the processor to the others: some hundred requests each second and connection are enough.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function startHammer(name: string, target: HammerTarget): void {
  const connections = target.connections ?? 4;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const hammer: Hammer = { running: true, total: 0, failures: [], peers: {}, workers: [] };
  hammers.set(name, hammer);
  for (let index = 0; index < connections; index += 1) hammer.workers.push(work(hammer, target, agent));
}

/** The count so far. */
export function countHammer(name: string): HammerCount {
  const hammer = hammers.get(name);
  if (!hammer) throw new Error(`there is no hammer ${name}`);
  const { total, failures, peers } = hammer;
  return { total, failures, peers };
}

/** Ends after the requests under way. */
export async function stopHammer(name: string): Promise<HammerCount> {
  const hammer = hammers.get(name);
  if (hammer) hammer.running = false;
  await Promise.all(hammer?.workers ?? []);
  return countHammer(name);
}
