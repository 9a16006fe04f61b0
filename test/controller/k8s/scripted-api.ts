/**
 * An HTTP server that answers as an API server can, but a real one does not on demand: lists that lack objects, limits,
 * bytes that are no JSON. Everything that a real one does on demand is tried on a real one, in test/mesh/k8s.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Answers a request; `false` leaves it to the default: an empty list, a watch that says nothing. */
export type Script = (request: URL, response: ServerResponse, headers: IncomingMessage['headers']) => boolean;

const isWatch = (url: URL): boolean => url.searchParams.get('watch') === 'true';

/** A page with everything. */
export function listOf(items: readonly object[], resourceVersion = '10'): string {
  return JSON.stringify({ metadata: { resourceVersion }, items });
}

export class ScriptedApi {
  readonly requests: URL[] = [];
  readonly #server: Server;
  readonly #folder = mkdtempSync(join(tmpdir(), 'lazyscope-api-'));

  private constructor(script: Script) {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://api');
      this.requests.push(url);
      if (script(url, response, request.headers)) return;
      if (isWatch(url)) response.flushHeaders();
      else response.end(listOf([]));
    });
  }

  /** Serves until the test ends. */
  static async start(t: TestContext, script: Script): Promise<ScriptedApi> {
    const api = new ScriptedApi(script);
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    t.after(() => {
      api.#server.close();
      api.#server.closeAllConnections();
      rmSync(api.#folder, { recursive: true });
    });
    return api;
  }

  /** Path of a file. @param user of the kubeconfig */
  kubeconfig(user: object = { token: 'a' }): string {
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const file = join(this.#folder, 'config');
    const config = {
      clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  /** Lists of a resource so far, by its plural. */
  lists(plural: string): number {
    return this.requests.filter((url) => url.pathname.endsWith(`/${plural}`) && !isWatch(url)).length;
  }
}
