/**
 * Receives access logs and keeps the set of edges of the last stream: with the controller's service, or with one that
 * decodes all of each message with protobufjs. Both receive through the same gRPC server and keep the same set.
 */
import type { ServerReadableStream, sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import { createAccessLogService } from '../../../controller/als/service.ts';
import { createGrpcServer } from '../../../controller/wire/grpc-server.ts';
import { messageType } from '../../../controller/wire/messages.ts';
import { EdgeSet } from '../log-ingest/edge-set.ts';
import { serveCommands } from '../method/commands.ts';

type Call = ServerReadableStream<Buffer, object>;
type Handle = (call: Call, done: sendUnaryData<object>) => void;

let edges = new EdgeSet();
let entries = 0;
const problems: string[] = [];

const HANDLES: Readonly<Record<string, () => Handle>> = { controller: withController, protobufjs: withProtobufjs };

function withController(): Handle {
  const { handlers } = createAccessLogService({
    sink: {
      accessLogs: (received) => {
        entries += received.length;
        for (const { source, destination, host = '', protocol } of received) {
          if (protocol !== 'HTTP1' && protocol !== 'HTTP2') continue;
          edges.add({
            source: source.address,
            destination: destination.address,
            port: destination.port,
            host,
            protocol,
          });
        }
      },
      egressRefused: () => undefined,
    },
    problem: ({ subject, reason }) => problems.push(`${subject}: ${reason}`),
    now: Date.now,
  });
  return (handlers as Readonly<Record<string, Handle>>)['StreamAccessLogs'] as Handle;
}

interface SocketAddress {
  readonly socket_address: { readonly address: string; readonly port_value: number };
}

interface Decoded {
  readonly http_logs?: {
    readonly log_entry: readonly {
      readonly common_properties: {
        readonly downstream_remote_address: SocketAddress;
        readonly downstream_local_address: SocketAddress;
      };
      readonly protocol_version: number;
      readonly request: { readonly authority: string };
    }[];
  };
}

function withProtobufjs(): Handle {
  const type = messageType('envoy.service.accesslog.v3.StreamAccessLogsMessage');
  const versions = messageType('envoy.data.accesslog.v3.HTTPAccessLogEntry').lookupEnum('HTTPVersion');
  const http2 = versions.values['HTTP2'];
  const take = (message: Decoded): void => {
    const received = message.http_logs?.log_entry ?? [];
    entries += received.length;
    for (const { common_properties: common, protocol_version, request } of received) {
      const { address, port_value } = common.downstream_local_address.socket_address;
      edges.add({
        source: common.downstream_remote_address.socket_address.address,
        destination: address,
        port: port_value,
        host: request.authority,
        protocol: protocol_version === http2 ? 'HTTP2' : 'HTTP1',
      });
    }
  };
  return (call, done) => {
    call.on('data', (bytes: Buffer) => take(type.decode(bytes) as unknown as Decoded));
    call.on('end', () => done(null, {}));
  };
}

async function serve(handle: Handle): Promise<number> {
  const anew: Handle = (call, done) => {
    edges = new EdgeSet();
    handle(call, done);
  };
  const accessLogs = { StreamAccessLogs: anew } as unknown as UntypedServiceImplementation;
  return (await createGrpcServer({ accessLogs }).listen({ address: '127.0.0.1', port: 0 })).port;
}

const make = HANDLES[process.argv[2] ?? ''];
if (!make) throw new Error(`Usage: log-receiver.ts ${Object.keys(HANDLES).join('|')}`);
await serveCommands(
  { port: await serve(make()) },
  {
    edges: () => {
      if (problems.length > 0) throw new Error(problems.slice(0, 3).join('; '));
      return { entries, ...edges.report() };
    },
  },
);
