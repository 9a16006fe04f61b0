/** The controller's gRPC server: access logs and discovery on one port. */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { LazyscopeError } from '../core/error.ts';
import type { SocketAddress } from '../core/model.ts';
import { socketAddressText } from '../core/socket-address.ts';
import { AccessLogService, AggregatedDiscoveryService, SERVER_OPTIONS } from './grpc.ts';

/**
 * What a sender of access logs may have on the way. With HTTP/2's default of 64 KB it waits for us after every few
 * messages, and each small read and each window that we grant costs as much CPU as decoding what came. As in grpc-java.
 */
export const ACCESS_LOG_WINDOW_BYTES = 1024 * 1024;

/** One for every stream that both services take, and some for those who are about to open theirs. */
const MAX_CONNECTIONS = 25_000;
/** Longer than clients wait before they open a stream again on the connection that they have. */
const IDLE_MS = 60_000;

export interface GrpcServerOptions {
  /** Implements `AccessLogService` of `grpc.ts`; absent: it is not served. */
  readonly accessLogs?: UntypedServiceImplementation;
  /** Implements `AggregatedDiscoveryService` of `grpc.ts`; absent: it is not served. */
  readonly discovery?: UntypedServiceImplementation;
  /** Default: none, in clear. */
  readonly credentials?: ServerCredentials;
  /** Connections at a time; default 25,000. */
  readonly maxConnections?: number;
  /** Milliseconds after which a connection without a stream is closed; default 60,000. */
  readonly idleMs?: number;
}

export interface GrpcServer {
  /** How often each limit was reached: connections were closed unanswered. */
  readonly limits: { readonly GrpcConnections: number };
  /**
   * Starts to accept; resolves with the bound address (port 0 is any free one).
   * @throws LazyscopeError `InvalidConfiguration` when the address cannot be used.
   */
  listen(address: SocketAddress): Promise<SocketAddress>;
  /**
   * Stops to accept, and resolves once every connection is gone: each goes with its last stream, at the latest after
   * `graceMs`.
   */
  close(graceMs: number): Promise<void>;
}

/** Builds the server; nothing is bound before {@link GrpcServer.listen}. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { accessLogs, discovery, credentials = ServerCredentials.createInsecure() } = options;
  // The server has no option for it (grpc-node#3058), nor a way to its sessions: Node tells of them.
  subscribe('http2.server.stream.created', widen);
  const grpc = new Server({ ...SERVER_OPTIONS, 'grpc.max_connection_idle_ms': options.idleMs ?? IDLE_MS });
  if (accessLogs) grpc.addService(AccessLogService, accessLogs);
  if (discovery) grpc.addService(AggregatedDiscoveryService, discovery);
  // Nor does it limit connections, so a listener of our own takes them.
  const connections = grpc.createConnectionInjector(credentials);
  const listener = createServer((socket) => connections.injectConnection(socket));
  listener.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  const limits = { GrpcConnections: 0 };
  listener.on('drop', () => {
    limits.GrpcConnections += 1;
  });
  return {
    limits,
    listen: async (address) => {
      try {
        await once(listener.listen({ host: address.address, port: address.port }), 'listening');
      } catch (error) {
        throw LazyscopeError.from(
          'InvalidConfiguration',
          `gRPC cannot be served on ${socketAddressText(address)}`,
          error,
        );
      }
      return { address: address.address, port: (listener.address() as AddressInfo).port };
    },
    close: async (graceMs) => {
      listener.close();
      const closed = new Promise<void>((resolve) => {
        grpc.tryShutdown(() => resolve());
      });
      // Not `forceShutdown`: without channelz it knows of no connection, and ends none.
      connections.drain(graceMs);
      await closed;
    },
  };
}

/** The same for all servers of a process: who subscribes twice is told twice, and a session is widened once. */
function widen(created: unknown): void {
  const { stream, headers } = created as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
  if (headers[':path'] !== AccessLogService.StreamAccessLogs.path) return;
  const session = stream.session as ServerHttp2Session | undefined;
  if (session === undefined || session.state.effectiveLocalWindowSize === ACCESS_LOG_WINDOW_BYTES) return;
  session.settings({ initialWindowSize: ACCESS_LOG_WINDOW_BYTES });
  session.setLocalWindowSize(ACCESS_LOG_WINDOW_BYTES);
}
