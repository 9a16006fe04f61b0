/** Envoy's two gRPC services that we serve and call. */
import type { MethodDefinition, ServerOptions } from '@grpc/grpc-js';
import { reasonOf } from '../core/error.ts';
import { messageType } from './messages.ts';

interface BidiMethod {
  readonly path: string;
  readonly request: string;
  readonly response: string;
}

/** Stands for a message that cannot be read, so that whoever serves the stream can name and count it. */
export class Unreadable {
  /** What is wrong with the bytes. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The same bytes, not a copy. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Responses may be encoded already: what many clients get alike is then encoded once. */
function streaming(method: BidiMethod, responseStream: boolean): MethodDefinition<object, object> {
  const request = messageType(method.request);
  const response = messageType(method.response);
  return {
    path: method.path,
    requestStream: true,
    responseStream,
    requestSerialize: (value) => bufferOf(request.encode(value).finish()),
    requestDeserialize: (bytes) => {
      try {
        return request.decode(bytes);
      } catch (error) {
        return new Unreadable(reasonOf(error));
      }
    },
    responseSerialize: (value) => (Buffer.isBuffer(value) ? value : bufferOf(response.encode(value).finish())),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

/** `envoy.service.discovery.v3.AggregatedDiscoveryService`, the incremental variant only. */
export const AggregatedDiscoveryService = {
  DeltaAggregatedResources: streaming(
    {
      path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
      request: 'envoy.service.discovery.v3.DeltaDiscoveryRequest',
      response: 'envoy.service.discovery.v3.DeltaDiscoveryResponse',
    },
    true,
  ),
};

/** `envoy.service.accesslog.v3.AccessLogService`. Messages pass as bytes: who decodes them decides how. */
export const AccessLogService = {
  StreamAccessLogs: {
    path: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
    requestStream: true,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: () => Buffer.alloc(0),
    responseDeserialize: () => ({}),
  } satisfies MethodDefinition<Buffer, object>,
};

/**
 * Of the gRPC server that offers both. Dead peers are found within half a minute; Envoy itself pings every 30 s. A client
 * that holds everything names it all in one request when it reconnects: with 30,000 ports that is more than gRPC's
 * default of 4 MB, which would end every stream that it opens.
 */
export const SERVER_OPTIONS: ServerOptions = {
  // Counts and dates every message, for a service that is not offered.
  'grpc.enable_channelz': 0,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_receive_message_length': 32 * 1024 * 1024,
};
