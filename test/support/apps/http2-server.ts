/** An HTTP/2 server with prior knowledge (h2c). */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { sha256 } from './sha256.ts';

export interface SeenStream {
  readonly peer: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly bodyHash: string;
}

const seen = new Map<string, SeenStream>();

/** The newest stream with header `x-case`. */
export function seenStream(testCase: string): SeenStream {
  const stream = seen.get(testCase);
  if (!stream) throw new Error(`no stream of case ${testCase} arrived`);
  return stream;
}

export async function listenHttp2(port: number): Promise<void> {
  const server = createServer();
  server.on('stream', (stream, headers) => void answer(stream, headers));
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
}

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (received) => {
    trailers = received;
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const peer = stream.session?.socket.remoteAddress ?? '';
  seen.set(String(headers['x-case']), {
    peer,
    headers: { ...headers },
    trailers: { ...trailers },
    bodyHash: sha256(body),
  });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': sha256(body) }));
  // A fixed date: answers are compared, and some proxy may add the present one where there is none.
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
  stream.respond({ ':status': 207, date, 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers: true });
  stream.end(`received ${body.length} bytes`);
}
