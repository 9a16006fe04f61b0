/** A whole answer of the API server. */
import type { IncomingMessage } from 'node:http';

export interface Answer {
  readonly status: number;
  /** Parsed JSON; `undefined` where the body is none. */
  readonly body: unknown;
  /** Milliseconds that the server asks us to wait (429, 503). */
  readonly retryAfter?: number;
}

/** A page of 500 objects of etcd's largest size would be beyond this; usual ones are below a hundredth of it. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const MAX_RETRY_AFTER = 60_000;

async function readBody(response: IncomingMessage, timeout: number): Promise<string> {
  const timer = setTimeout(() => response.destroy(new Error(`nothing more within ${timeout / 1000} s`)), timeout);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      timer.refresh();
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * Reads an answer to its end.
 * @param timeout milliseconds without any byte
 * @throws Error when it ends or stops halfway, or is longer than 256 MiB
 */
export async function readAnswer(response: IncomingMessage, timeout: number): Promise<Answer> {
  const text = await readBody(response, timeout);
  const seconds = Number(response.headers['retry-after']);
  const retryAfter = seconds > 0 ? { retryAfter: Math.min(seconds * 1000, MAX_RETRY_AFTER) } : {};
  return { status: response.statusCode ?? 0, body: parse(text), ...retryAfter };
}

/** Proxies on the way answer with HTML. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
