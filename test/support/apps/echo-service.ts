/** A gRPC service that needs no `.proto` file: its messages are bytes. */
import type { MethodDefinition } from '@grpc/grpc-js';

function method(path: string, stream: boolean): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: stream,
    responseStream: stream,
    requestSerialize: (bytes) => bytes,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: (bytes) => bytes,
    responseDeserialize: (bytes) => bytes,
  };
}

/** `Unary` echoes one message, and fails where that is `fail`; `Chat` echoes a stream. */
export const EchoService = { Unary: method('/test.Echo/Unary', false), Chat: method('/test.Echo/Chat', true) };
