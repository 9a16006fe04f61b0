/** A whole answer of the API server. */
import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
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
 * Hands over an answer chunk by chunk, and resolves at its end. Not by iterating: the API server sends a long list in
 * tens of thousands of small chunks, and each would cost some promises.
 * @param timeout milliseconds without any byte
 * @param onChunk what it throws ends the answer
 * @throws Error when it ends or stops halfway; what `onChunk` throws
 */
export async function readChunks(
  response: IncomingMessage,
  timeout: number,
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  const timer = setTimeout(() => response.destroy(new Error(`nothing more within ${timeout / 1000} s`)), timeout);
  response.on('readable', () => {
    try {
      for (let chunk = response.read(); chunk !== null; chunk = response.read()) onChunk(chunk);
      timer.refresh();
    } catch (error) {
      response.destroy(error as Error);
    }
  });
  try {
    await finished(response);
  } finally {
    clearTimeout(timer);
  }
}

async function readBody(response: IncomingMessage, timeout: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  await readChunks(response, timeout, (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
  });
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
