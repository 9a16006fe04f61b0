/** An HTTP/1 client that keeps one connection for each name that a test gives it. */
import { Agent, type IncomingMessage, request as openRequest } from 'node:http';
import { sha256 } from './sha256.ts';

export interface HttpRequest {
  /** Requests of one name share one connection. */
  readonly connection: string;
  readonly address: string;
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends that many bytes as chunks, in place of `body`. */
  readonly chunkedBytes?: number;
  readonly trailers?: Readonly<Record<string, string>>;
  /** Sends the body only after `100 Continue`. */
  readonly expectContinue?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly body: string;
  /** Hash of what was sent as body. */
  readonly sentHash: string;
  /** Whether `100 Continue` came before the answer. */
  readonly continued: boolean;
  /** This end of the connection: equal ports are one connection. */
  readonly localPort: number;
}

const agents = new Map<string, Agent>();

function agentOf(connection: string): Agent {
  const agent = agents.get(connection) ?? new Agent({ keepAlive: true, maxSockets: 1 });
  agents.set(connection, agent);
  return agent;
}

/** Some bytes that no two places of the body share. */
function* chunks(bytes: number): Generator<Buffer> {
  const size = 64 * 1024;
  for (let sent = 0; sent < bytes; sent += size) {
    const chunk = Buffer.alloc(Math.min(size, bytes - sent), `${sent} `);
    yield chunk;
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Sends a request and reads its answer to the end. */
export async function send(asked: HttpRequest): Promise<HttpResponse> {
  const body = asked.chunkedBytes === undefined ? [Buffer.from(asked.body ?? '')] : [...chunks(asked.chunkedBytes)];
  const request = open(asked);
  let continued = false;
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  if (asked.expectContinue) {
    await new Promise((resolve, reject) =>
      request.once('continue', resolve).once('response', resolve).once('error', reject),
    );
    continued = true;
  }
  for (const chunk of body) {
    if (chunk.length > 0 && !request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve));
  }
  if (asked.trailers) request.addTrailers(asked.trailers);
  request.end();
  const response = await answered;
  const localPort = response.socket.localPort ?? 0;
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? '',
    rawHeaders: response.rawHeaders,
    body: await readAll(response),
    rawTrailers: response.rawTrailers,
    sentHash: sha256(Buffer.concat(body)),
    continued,
    localPort,
  };
}

function open({ connection, address, port, path = '/', method = 'GET', headers = {}, ...asked }: HttpRequest) {
  const chunked = asked.chunkedBytes !== undefined || asked.trailers ? { 'transfer-encoding': 'chunked' } : {};
  const expect = asked.expectContinue ? { expect: '100-continue' } : {};
  const length = asked.body !== undefined && !asked.trailers ? { 'content-length': Buffer.byteLength(asked.body) } : {};
  const request = openRequest({
    host: address,
    port,
    path,
    method,
    agent: agentOf(connection),
    headers: { ...headers, ...chunked, ...length, ...expect },
  });
  if (asked.expectContinue) request.flushHeaders();
  return request;
}

const streams = new Map<string, Promise<string>>();

/** Opens an event stream and returns its first part, as soon as that arrives. */
export async function openEvents(asked: HttpRequest): Promise<string> {
  const request = open(asked);
  request.end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  let text = '';
  response.setEncoding('utf8');
  const ended = new Promise<string>((resolve, reject) => {
    response.on('data', (part: string) => {
      text += part;
    });
    response.once('end', () => resolve(text));
    response.once('error', reject);
  });
  streams.set(asked.connection, ended);
  await new Promise((resolve) => response.once('data', resolve));
  return text;
}

/** The whole event stream, when it has ended. */
export async function endOfEvents(connection: string): Promise<string> {
  return (await streams.get(connection)) ?? '';
}
