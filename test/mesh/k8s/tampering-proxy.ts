/**
 * An HTTP proxy in front of a bed's API server, as a load balancer is: it passes every request on over TLS, with its
 * credentials, and does to chosen answers what a real API server does not do on demand. {@link TcpProxy} is for what
 * happens to whole connections.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as requestSecure } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { TestContext } from 'node:test';
import type { KubernetesAccess } from '../bed/kubernetes-client.ts';
import type { ApiBed } from './api-bed.ts';
import { listenUntilEnd } from './listen-until-end.ts';

export interface PassingRequest {
  /** Without the query. */
  readonly path: string;
  readonly isWatch: boolean;
  readonly authorization: string | undefined;
  /** When it came, by a monotonic clock. */
  readonly at: number;
  /** How many requests for this there have been, watches and others apart; this one is counted. */
  readonly nth: number;
}

/** What becomes of a request instead of being answered as it is. */
export type Tampering =
  /** The API server's answer, with another body; its head passes at once. */
  | { readonly type: 'Body'; readonly change: (body: AsyncIterable<Buffer>) => AsyncIterable<Buffer | string> }
  /** This answer; the API server is not asked. */
  | {
      readonly type: 'Refusal';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** No answer, ever. */
  | { readonly type: 'Silence' };

/** Decides what becomes of a request, which waits for that; `undefined`: it passes, and so does its answer. */
export type Tamper = (request: PassingRequest) => Tampering | undefined | Promise<Tampering | undefined>;

const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

const unchanged = (body: AsyncIterable<Buffer>): AsyncIterable<Buffer> => body;

export class TamperingProxy {
  /** Every request so far. */
  readonly requests: PassingRequest[] = [];
  readonly #access: KubernetesAccess;
  readonly #tamper: Tamper;
  readonly #agent: Agent;
  #port = 0;

  private constructor(access: KubernetesAccess, tamper: Tamper) {
    this.#access = access;
    this.#tamper = tamper;
    this.#agent = new Agent({ keepAlive: true, ca: access.certificateAuthority });
  }

  /** In front of the bed's API server, until the test ends. */
  static async start(api: ApiBed, t: TestContext, tamper: Tamper = () => undefined): Promise<TamperingProxy> {
    const proxy = new TamperingProxy(api.client.access, tamper);
    const server = createServer((request, response) => {
      // Whoever asked sees its connection closed, as if it had asked the API server itself.
      proxy.#serve(request, response).catch(() => response.destroy());
    });
    proxy.#port = await listenUntilEnd(server, t);
    t.after(() => {
      server.closeAllConnections();
      proxy.#agent.destroy();
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Requests for a collection so far that were lists. @param path as `/api/v1/services` */
  lists(path: string): PassingRequest[] {
    return this.requests.filter((request) => request.path === path && !request.isWatch);
  }

  /** Watches of a collection so far. */
  watches(path: string): PassingRequest[] {
    return this.requests.filter((request) => request.path === path && request.isWatch);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tampering = await this.#tamper(this.#note(request));
    if (tampering?.type === 'Silence') return;
    if (tampering?.type === 'Refusal') {
      response.writeHead(tampering.status, tampering.headers).end(tampering.body);
      return;
    }
    // What changes a body reads it as JSON.
    if (tampering)
      request.headers.accept = request.headers.accept?.replace(/application\/vnd.kubernetes.protobuf[^,]*, /, '');
    const answer = await this.#forward(request, response);
    const headers = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
    // A watch without changes has a head all the same.
    response.flushHeaders();
    await pipeline(answer, tampering?.change ?? unchanged, response);
  }

  #note({ url = '/', headers }: IncomingMessage): PassingRequest {
    const { pathname: path, searchParams } = new URL(url, this.#access.server);
    const isWatch = searchParams.get('watch') === 'true';
    const before = isWatch ? this.watches(path) : this.lists(path);
    const { authorization } = headers;
    const request = { path, isWatch, authorization, at: performance.now(), nth: before.length + 1 };
    this.requests.push(request);
    return request;
  }

  /** @returns the head of the API server's answer */
  async #forward(request: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { method, headers, url = '/' } = request;
    const forwarded = requestSecure(this.#access.server + url, { method, headers, agent: this.#agent }, resolve);
    forwarded.on('error', reject);
    response.on('close', () => {
      if (!response.writableFinished) forwarded.destroy();
    });
    request.pipe(forwarded);
    return promise;
  }
}
