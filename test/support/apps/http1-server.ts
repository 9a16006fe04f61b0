/** An HTTP/1 server that tells what it saw, so that tests can compare what arrived by two ways. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { sha256 } from './sha256.ts';

/** A request as it arrived. Tests find it by the header `x-case`. */
export interface SeenRequest {
  /** Address that dialled. */
  readonly peer: string;
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly bodyBytes: number;
  readonly bodyHash: string;
}

/** The same at every time, as answers are compared; Envoy adds the present one where there is none. */
const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';

const SLOW_MS = 3_000;

const seen = new Map<string, SeenRequest>();
const held = new Map<string, () => void>();

/** The newest request of a case. */
export function seenRequest(testCase: string): SeenRequest {
  const request = seen.get(testCase);
  if (!request) throw new Error(`no request of case ${testCase} arrived`);
  return request;
}

/** Lets the held event stream of a case go on to its end. */
export function release(testCase: string): void {
  held.get(testCase)?.();
}

/**
 * Serves `/peer` (body: the address that dialled), `/slow` (answers after 3 s), `/events` (an event stream that holds
 * after its first event), WebSocket (says the peer, then echoes), and an answer full of peculiarities for every other path.
 */
export async function listenHttp1(port: number): Promise<void> {
  const server = createServer((request, response) => void answer(request, response));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    void answer(request, response);
  });
  server.keepAliveTimeout = 600_000;
  serveWebSocket(server);
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.sendDate = false;
  const testCase = String(request.headers['x-case']);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  seen.set(testCase, {
    peer: request.socket.remoteAddress ?? '',
    method: request.method ?? '',
    path: request.url ?? '',
    rawHeaders: request.rawHeaders,
    rawTrailers: request.rawTrailers,
    bodyBytes: body.length,
    bodyHash: sha256(body),
  });
  if (request.url === '/peer') response.end(request.socket.remoteAddress);
  else if (request.url === '/slow') setTimeout(() => response.end('at last'), SLOW_MS);
  else if (request.url === '/events') sendEvents(response, testCase);
  else sendPeculiar(response, body);
}

/** Status, reason, case of names, repeated names, chunks and trailers are all things that a proxy may lose. */
function sendPeculiar(response: ServerResponse, body: Buffer): void {
  const headers = [
    'Date',
    DATE,
    'X-MiXed',
    'Case',
    'Set-Cookie',
    'a=1',
    'Set-Cookie',
    'b=2',
    'Trailer',
    'x-sum',
    'X-Empty',
    '',
  ];
  response.writeHead(207, 'Partly Fine', headers);
  response.write('received ');
  response.write(`${body.length} bytes`);
  response.addTrailers({ 'x-sum': sha256(body) });
  response.end();
}

function sendEvents(response: ServerResponse, testCase: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: first\n\n');
  held.set(testCase, () => {
    response.write('data: second\n\n');
    response.end('data: last\n\n');
  });
}

function serveWebSocket(server: Server): void {
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    socket.send(request.socket.remoteAddress ?? '');
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
}
