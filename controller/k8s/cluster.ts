/** One Kubernetes API server: requests with current credentials, time limits and errors of ours. */
import type { IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { LazyscopeError } from '../core/error.ts';
import { type Answer, readAnswer } from './answer.ts';
import { type Credentials, type CredentialsOptions, CredentialsSource } from './credentials.ts';
import { describeIntent, type Intent } from './refusal.ts';

export interface ClusterRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  /** For messages. */
  readonly intent: Intent;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the head of the answer, and then without any byte of it; 30 s by default. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** The API server itself gives up a request after 60 s, and most answers take milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/** How to reach the API server and as whom; see {@link connectCluster}. */
export class Cluster {
  readonly #credentials: CredentialsSource;

  constructor(credentials: CredentialsSource) {
    this.#credentials = credentials;
  }

  /**
   * Any answer, whatever its status.
   * @throws LazyscopeError `Unavailable` when none came
   */
  async request(request: ClusterRequest): Promise<Answer> {
    const response = await this.open(request);
    try {
      return await readAnswer(response, request.timeout ?? DEFAULT_TIMEOUT);
    } catch (error) {
      throw unavailable(request.intent, error);
    }
  }

  /**
   * The head of an answer; the body is the caller's to read or destroy, and may come as slowly as it likes. Refused
   * credentials are read afresh and tried once more.
   * @throws LazyscopeError `Unavailable` when no answer came
   */
  async open(request: ClusterRequest): Promise<IncomingMessage> {
    try {
      const { generation } = this.#credentials;
      const response = await send(await this.#credentials.current(), request);
      if (response.statusCode !== 401) return response;
      response.destroy();
      await this.#credentials.renew(generation);
      return await send(await this.#credentials.current(), request);
    } catch (error) {
      throw unavailable(request.intent, error);
    }
  }

  /** Closes idle connections; what is under way goes on. */
  close(): void {
    this.#credentials.close();
  }
}

/**
 * Reads the configuration; connects to nothing yet.
 * @param options `kubeconfig`: a file; the pod's own ServiceAccount without it
 * @throws LazyscopeError `InvalidConfiguration`
 */
export async function connectCluster(options: CredentialsOptions): Promise<Cluster> {
  return new Cluster(await CredentialsSource.load(options));
}

function unavailable(intent: Intent, error: unknown): LazyscopeError {
  return LazyscopeError.from('Unavailable', describeIntent(intent), error);
}

/**
 * A server that restarts or an idle limit on the way may close a kept connection just when it is used again; whether
 * the request arrived is then unknown, so that only what may be done twice is.
 */
async function send(credentials: Credentials, request: ClusterRequest): Promise<IncomingMessage> {
  const first = attempt(credentials, request);
  try {
    return await first.answer;
  } catch (error) {
    const isStale = first.sent.reusedSocket && error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
    if (!isStale || request.method === 'POST') throw error;
    return attempt(credentials, request).answer;
  }
}

/**
 * Not imported: that reads every export of the module, some of which load the whole of `fetch`, which takes 20 ms of
 * processor time and 5 MB of memory.
 */
function requestPlain() {
  return process.getBuiltinModule('node:http').request;
}

function attempt({ server, agent, headers }: Credentials, request: ClusterRequest) {
  const { timeout = DEFAULT_TIMEOUT, method, signal } = request;
  const text = request.body === undefined ? undefined : JSON.stringify(request.body);
  const { promise: answer, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const open = server.startsWith('https:') ? requestSecure : requestPlain();
  const sent = open(server + request.path, {
    method,
    agent,
    headers: {
      accept: 'application/json',
      'user-agent': 'lazyscope',
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      ...request.headers,
      ...headers,
    },
    ...(signal ? { signal } : {}),
  });
  // Not the socket's own time limit: a connection that cannot be made has no socket yet.
  const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
  sent.on('response', resolve);
  sent.on('error', reject);
  sent.on('close', () => reject(new Error('the connection was closed before an answer came')));
  const settled = (): void => clearTimeout(timer);
  answer.then(settled, settled);
  sent.end(text);
  return { sent, answer };
}
