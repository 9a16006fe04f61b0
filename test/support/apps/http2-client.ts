import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';

export interface Http2Request {
  readonly path: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Http2Response {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const sessions = new Map<string, ClientHttp2Session>();

/** Opens a connection with prior knowledge, under a name of the test's. */
export async function openHttp2(name: string, address: string, port: number): Promise<void> {
  const session = connect(`http://${address}:${port}`);
  await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
  sessions.set(name, session);
}

/** One POST on an open connection. */
export async function postHttp2(name: string, request: Http2Request): Promise<Http2Response> {
  const session = sessions.get(name);
  if (!session || session.destroyed) throw new Error(`connection ${name} is not open`);
  const headers: OutgoingHttpHeaders = { ':method': 'POST', ':path': request.path, ':authority': request.authority };
  const stream = session.request({ ...headers, ...request.headers });
  let answered: Readonly<Record<string, unknown>> = {};
  let trailers: Readonly<Record<string, unknown>> = {};
  stream.on('response', (received) => {
    answered = { ...received };
  });
  stream.on('trailers', (received) => {
    trailers = { ...received };
  });
  stream.end(request.body);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { headers: answered, trailers, body: Buffer.concat(chunks).toString() };
}
