import type { Agent } from 'node:https';
import { request as openRequest } from 'node:https';

export interface HttpsAnswer {
  readonly status: number;
  readonly body: string;
}

export interface HttpsRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Holds the connections, and what is trusted. */
  readonly agent: Agent;
}

/** A request over TLS, as `fetch` cannot be told whom to trust without a package of its own. */
export async function httpsRequest({ method, url, headers, body, agent }: HttpsRequest): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const request = openRequest(url, { method, headers, agent, timeout: 30_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${url} was not answered within 30 s`)));
    request.on('error', reject);
    request.end(body);
  });
}
