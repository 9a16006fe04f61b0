/** A whole answer of the API server. */
import type { IncomingMessage } from 'node:http';
import { PROTOBUF, readProtobufStatus } from '../wire/kubernetes/protobuf.ts';

export interface Answer {
  readonly status: number;
  /** Parsed JSON, or a `Status` in protobuf in its form; `undefined` where the body is neither. */
  readonly body: unknown;
  /** Milliseconds that the server asks us to wait (429, 503). */
  readonly retryAfter?: number;
}

/** A page of 500 objects of etcd's largest size would be beyond this; usual ones are below a hundredth of it. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const MAX_RETRY_AFTER = 60_000;

/**
 * Chunks of an answer to its end.
 * @param timeout milliseconds without any byte
 * @throws Error when it ends or stops halfway
 */
export async function* chunksOf(response: IncomingMessage, timeout: number): AsyncGenerator<Buffer> {
  const timer = setTimeout(() => response.destroy(new Error(`nothing more within ${timeout / 1000} s`)), timeout);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      timer.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

async function readBody(response: IncomingMessage, timeout: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(response, timeout)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads an answer to its end.
 * @param timeout milliseconds without any byte
 * @throws Error when it ends or stops halfway, or is longer than 256 MiB
 */
export async function readAnswer(response: IncomingMessage, timeout: number): Promise<Answer> {
  const body = await readBody(response, timeout);
  const seconds = Number(response.headers['retry-after']);
  const retryAfter = seconds > 0 ? { retryAfter: Math.min(seconds * 1000, MAX_RETRY_AFTER) } : {};
  return { status: response.statusCode ?? 0, body: parse(body, response.headers['content-type'] ?? ''), ...retryAfter };
}

/** Proxies on the way answer with HTML. */
function parse(body: Buffer, contentType: string): unknown {
  if (contentType.startsWith(PROTOBUF)) return readProtobufStatus(body);
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
