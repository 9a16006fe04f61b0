import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { type Protocol, peerAddress } from './protocol.ts';

const bytes = (value: Buffer): Buffer => value;
const whoCalls = {
  path: '/shop.Shop/WhoCalls',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
} as const;

function answer(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
  const peer = call.getPeer();
  done(null, Buffer.from(peerAddress(peer.slice(0, peer.lastIndexOf(':')).replace(/^\[|\]$/g, ''))));
}

/** One HTTP/2 connection for all calls. */
export const grpc: Protocol = {
  async serve(port) {
    const server = new Server();
    server.addService({ whoCalls }, { whoCalls: answer });
    await new Promise<void>((resolve, reject) => {
      const bound = (error: Error | null): void => (error ? reject(error) : resolve());
      server.bindAsync(`0.0.0.0:${port}`, ServerCredentials.createInsecure(), bound);
    });
  },
  client({ host, address, port }) {
    const options = { 'grpc.default_authority': host };
    const client = new Client(`${address}:${port}`, credentials.createInsecure(), options);
    const call = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const done = (error: Error | null, body?: Buffer): void => (error ? reject(error) : resolve(String(body)));
        client.makeUnaryRequest(whoCalls.path, bytes, bytes, Buffer.alloc(0), { deadline: Date.now() + 10_000 }, done);
      });
    return { call };
  },
};
