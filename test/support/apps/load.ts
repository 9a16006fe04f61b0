/** A client of many services with a steady rate of requests, on kept and on new connections, that counts what fails. */
import { Agent, get } from 'node:http';

export interface LoadTarget {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly host: string;
}

export interface LoadOptions {
  /** Called in turns. */
  readonly targets: readonly LoadTarget[];
  /** Over all targets. */
  readonly requestsPerSecond: number;
  /** Every how many-th request opens a connection of its own; default 10. */
  readonly freshEvery?: number;
}

export interface LoadCount {
  readonly total: number;
  /** Asked and not answered yet. */
  readonly underWay: number;
  /** What went wrong, for each failed request, and when: seconds since the start. */
  readonly failures: readonly string[];
  /** Answers by target and body of `/peer`: who dialled the server. */
  readonly peers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The body of each target's newest answer. */
  readonly newest: Readonly<Record<string, string>>;
}

/** Requests are made in small groups at this interval. */
const TICK_MS = 10;

class Load {
  readonly #options: LoadOptions;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #agents = new Map<string, Agent>();
  readonly #pending = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  readonly #peers: Record<string, Record<string, number>> = {};
  readonly #newest: Record<string, string> = {};
  #total = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  count(): LoadCount {
    const [failures, peers, newest] = [this.#failures, this.#peers, this.#newest];
    return { total: this.#total, underWay: this.#pending.size, failures, peers, newest };
  }

  async stop(): Promise<LoadCount> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    for (const agent of this.#agents.values()) agent.destroy();
    return this.count();
  }

  /** Catches up with what a busy machine made late. */
  #tick(): void {
    const { requestsPerSecond } = this.#options;
    const due = ((performance.now() - this.#startedAt) / 1_000) * requestsPerSecond;
    while (this.#total < due) this.#ask();
  }

  #ask(): void {
    const { targets, freshEvery = 10 } = this.#options;
    const target = targets[this.#total % targets.length];
    // By rounds, so that every target gets its share of new connections.
    const isFresh = Math.floor(this.#total / targets.length) % freshEvery === 0;
    this.#total += 1;
    if (!target) return;
    const asked = ask(target, isFresh ? false : this.#agent(target)).then(
      (peer) => this.#answered(target, peer),
      (error: unknown) => this.#failed(target, isFresh, error),
    );
    this.#pending.add(asked);
    void asked.finally(() => this.#pending.delete(asked));
  }

  #answered({ name }: LoadTarget, peer: string): void {
    const peers = this.#peers[name] ?? {};
    peers[peer] = (peers[peer] ?? 0) + 1;
    this.#peers[name] = peers;
    this.#newest[name] = peer;
  }

  #failed({ name }: LoadTarget, isFresh: boolean, error: unknown): void {
    const at = ((performance.now() - this.#startedAt) / 1_000).toFixed(2);
    this.#failures.push(`${at} s ${name} ${isFresh ? 'new' : 'kept'} connection: ${error}`);
  }

  #agent({ name }: LoadTarget): Agent {
    const agent = this.#agents.get(name) ?? new Agent({ keepAlive: true, maxSockets: 4 });
    this.#agents.set(name, agent);
    return agent;
  }
}

async function ask({ address, port, host }: LoadTarget, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path: '/peer', agent, headers: { host }, timeout: 10_000 };
    const request = get(options, (response) => {
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
    request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
    request.on('error', reject);
  });
}

const loads = new Map<string, Load>();

function loadOf(name: string): Load {
  const load = loads.get(name);
  if (!load) throw new Error(`there is no load ${name}`);
  return load;
}

export function startLoad(name: string, options: LoadOptions): void {
  loads.set(name, new Load(options));
}

/** The count so far. */
export function countLoad(name: string): LoadCount {
  return loadOf(name).count();
}

/** Ends after the requests under way. */
export async function stopLoad(name: string): Promise<LoadCount> {
  return loadOf(name).stop();
}
