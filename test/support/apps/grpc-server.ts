import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { EchoService } from './echo-service.ts';

const peersByCase = new Map<string, string>();

/** Address that dialled for the newest call with metadata `x-case`. */
export function callPeer(testCase: string): string {
  return peersByCase.get(testCase) ?? '';
}

function note(call: { readonly metadata: Metadata; getPeer(): string }): void {
  peersByCase.set(String(call.metadata.get('x-case')[0]), call.getPeer().replace(/:\d+$/, ''));
}

function trailers(): Metadata {
  const metadata = new Metadata();
  metadata.set('x-sum', 'at the end');
  return metadata;
}

function unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
  note(call);
  const failed = call.request.toString() === 'fail';
  if (failed) done({ code: status.FAILED_PRECONDITION, details: 'as asked', metadata: trailers() });
  else done(null, call.request, trailers());
}

function chat(call: ServerDuplexStream<Buffer, Buffer>): void {
  note(call);
  call.on('data', (message: Buffer) => call.write(message));
  call.on('end', () => call.end(trailers()));
  call.on('error', () => undefined);
}

export async function listenGrpc(port: number): Promise<void> {
  const server = new Server();
  server.addService(EchoService, { Unary: unary, Chat: chat });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`0.0.0.0:${port}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
