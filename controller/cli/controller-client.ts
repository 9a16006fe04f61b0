/** Asks the controller's HTTP API; every failure is one sentence with the URL and what to do. */
import { InvalidArgumentError } from 'commander';
import {
  API_VERSION,
  type EdgeList,
  type Forgotten,
  type Graph,
  type MeshStatus,
  type Workload,
  type WorkloadList,
} from '../core/answer.ts';
import { type ErrorCode, LazyscopeError } from '../core/error.ts';

interface Answers {
  readonly MeshStatus: MeshStatus;
  readonly WorkloadList: WorkloadList;
  readonly Workload: Workload;
  readonly EdgeList: EdgeList;
  readonly Graph: Graph;
  readonly Forgotten: Forgotten;
}

/** Query parameters; those that are undefined are not sent. */
export type Query = Readonly<Record<string, string | undefined>>;

/** What a status means to whoever asked. */
const CODES: Readonly<Record<number, ErrorCode>> = { 403: 'Forbidden', 404: 'NotFound' };

/** Long enough for a graph of any size, short enough to notice a black hole. */
const timeoutMilliseconds = 10_000;

/** One controller. Paths are below `/api/v1/`. */
export class ControllerClient {
  readonly #server: string;

  /** @param server base URL, for example `http://127.0.0.1:15014` */
  constructor(server: string) {
    this.#server = server.replace(/\/+$/, '');
  }

  /**
   * One versioned answer.
   * @throws LazyscopeError `Unavailable` or `NotFound`; a refused question is a usage error.
   */
  async get<Kind extends keyof Answers>(kind: Kind, path: string, query: Query = {}): Promise<Answers[Kind]> {
    return this.#versioned(kind, await this.getObject(path, query));
  }

  /** The versioned answer to a change. Throws as {@link get} does. */
  async post<Kind extends keyof Answers>(kind: Kind, path: string, body: object): Promise<Answers[Kind]> {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return this.#versioned(kind, await this.#object(await this.#fetch(path, {}, init)));
  }

  #versioned<Kind extends keyof Answers>(kind: Kind, body: object): Answers[Kind] {
    if (isAnswer(body, kind)) return body;
    throw new LazyscopeError(
      'Unavailable',
      `${this.#server} did not answer with ${API_VERSION} ${kind}. Use the same version of client and controller.`,
    );
  }

  /** Any JSON object. Throws as {@link get} does. */
  async getObject(path: string, query: Query = {}): Promise<object> {
    return this.#object(await this.#fetch(path, query));
  }

  async #object(response: Response): Promise<object> {
    const body = await readObject(response);
    if (response.ok && body !== undefined) return body;
    const message = errorMessage(body);
    if (message === undefined) throw this.#stranger(response.status);
    if (response.status === 400) throw new InvalidArgumentError(message);
    throw new LazyscopeError(CODES[response.status] ?? 'Unavailable', message);
  }

  async #fetch(path: string, query: Query, init: RequestInit = {}): Promise<Response> {
    const url = new URL(`${this.#server}/api/v1/${path.split('/').map(encodeURIComponent).join('/')}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    try {
      return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMilliseconds) });
    } catch (caught) {
      throw new LazyscopeError(
        'Unavailable',
        `No controller answers at ${this.#server} (${reason(caught)}). ` +
          'Start one with "lazyscope controller", or name it with --server or LAZYSCOPE_SERVER.',
        { cause: caught },
      );
    }
  }

  #stranger(status: number): LazyscopeError {
    return new LazyscopeError(
      'Unavailable',
      `${this.#server} is no Lazyscope controller (it answered ${status} without the API's form). ` +
        'Name one with --server or LAZYSCOPE_SERVER.',
    );
  }
}

function isAnswer<Kind extends keyof Answers>(body: object, kind: Kind): body is Answers[Kind] {
  return 'apiVersion' in body && body.apiVersion === API_VERSION && 'kind' in body && body.kind === kind;
}

async function readObject(response: Response): Promise<object | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  return typeof body === 'object' && body !== null ? body : undefined;
}

function errorMessage(body: object | undefined): string | undefined {
  const error: unknown = body && 'error' in body ? body.error : undefined;
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  return typeof error.message === 'string' ? error.message : undefined;
}

/** fetch hides the cause ("fetch failed"); the code below it, ECONNREFUSED, is what people search for. */
function reason(caught: unknown): string {
  const cause = caught instanceof Error && caught.cause !== undefined ? caught.cause : caught;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
