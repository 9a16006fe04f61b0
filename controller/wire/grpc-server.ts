import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { Server } from '@grpc/grpc-js';
import { AccessLogService, SERVER_OPTIONS } from './grpc.ts';

/**
 * What a sender of access logs may have on the way. With HTTP/2's default of 64 KB it waits for us after every few
 * messages, and each small read and each window that we grant costs as much CPU as decoding what came. As in grpc-java.
 */
export const ACCESS_LOG_WINDOW_BYTES = 1024 * 1024;

/** The gRPC server of both services, without them. */
export function createGrpcServer(): Server {
  // The server has no option for it (grpc-node#3058), nor a way to its sessions: Node tells of them.
  subscribe('http2.server.stream.created', widen);
  return new Server(SERVER_OPTIONS);
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
