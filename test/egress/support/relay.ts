import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { PortProtocol, SocketAddress } from '../../../controller/core/model.ts';
import type { RelayTarget } from '../../../controller/core/relay-target.ts';
import { AddressSet } from '../../../egress/address.ts';
import { Balancer } from '../../../egress/balancer.ts';
import { Dialler } from '../../../egress/dial.ts';
import type { DoorRefusal } from '../../../egress/door.ts';
import type { Hop } from '../../../egress/hop.ts';
import { IdentityTable, type IdentityView } from '../../../egress/identity-table.ts';
import { type LimitOptions, Limits } from '../../../egress/limits.ts';
import { Metrics } from '../../../egress/metrics.ts';
import { NeverRelay } from '../../../egress/never-relay.ts';
import { Relay } from '../../../egress/relay.ts';
import { Report } from '../../../egress/report.ts';
import { RoutingTable } from '../../../egress/routing-table.ts';
import { proxyHeader } from './proxy-header.ts';

export const REPORTER = 'egress~127.0.0.1~egress.test~test.svc.cluster.local';

/** What a test service is; the rest follows from its name. */
export interface TestService {
  readonly name: string;
  readonly port: number;
  readonly protocol: PortProtocol;
  readonly clusterIP?: string;
  readonly relayable?: boolean;
  readonly endpoints?: readonly SocketAddress[];
}

export interface TestRelayOptions {
  readonly services?: readonly TestService[];
  readonly limits?: Partial<LimitOptions>;
  readonly sourceCidrs?: readonly string[];
  readonly neverRelayedCidrs?: readonly string[];
  readonly bufferBytes?: number;
  readonly mode?: 'direct' | 'istio';
  readonly hop?: Hop;
  /** Whose the addresses are; default: nobody's. */
  readonly identities?: IdentityView;
}

/** A relay on loopback, with a routing table of its own and loopback allowed as source and destination. */
export interface TestRelay {
  readonly relay: Relay;
  readonly address: SocketAddress;
  readonly table: RoutingTable;
  readonly report: Report;
  readonly metrics: Metrics;
  readonly refusals: DoorRefusal[];
  readonly limits: Limits;
  /** Connects as a sidecar does, on behalf of a client that wants to go to `destination`. */
  connect(destination: SocketAddress): Promise<Socket>;
  /** Connects without any header. */
  connectBare(): Promise<Socket>;
  /** Value of a metric, labels included in its name: `refused_total{reason="HeaderTimeout"}`. */
  metric(name: string): Promise<number>;
}

export function setService(table: RoutingTable, service: TestService): void {
  const { name, port, protocol, clusterIP, relayable = true, endpoints } = service;
  const host = `${name}.test.svc.cluster.local`;
  const target: RelayTarget = {
    service: `test/${host}`,
    port,
    protocol,
    clusterIPs: clusterIP === undefined ? [] : [clusterIP],
    hosts: [host, `${name}.test`, `${name}.test.svc`],
    headless: clusterIP === undefined,
    relayable,
  };
  table.set(`outbound|${port}||${host}`, target);
  if (endpoints) table.setEndpoints(`outbound|${port}||${host}`, endpoints);
}

function createNeverRelay(cidrs: readonly string[]): NeverRelay {
  return new NeverRelay({ cidrs, linkLocalAllow: [], ownAddresses: ['127.0.0.1'], controllerHost: '192.0.2.1' });
}

export async function startRelay(t: TestContext, options: TestRelayOptions = {}): Promise<TestRelay> {
  const table = new RoutingTable();
  for (const service of options.services ?? []) setService(table, service);
  const metrics = new Metrics('test');
  const report = new Report({ reporter: REPORTER, maxKeys: 1_000 });
  const refusals: DoorRefusal[] = [];
  const neverRelay = createNeverRelay(options.neverRelayedCidrs ?? []);
  const limits = new Limits({
    maxConnections: 100,
    maxConnectionsPerSource: 100,
    maxHalfOpenPerSource: 100,
    ...options.limits,
  });
  const relay = new Relay({
    door: {
      sources: new AddressSet(options.sourceCidrs ?? ['127.0.0.0/8', '::1/128']),
      limits,
      ...(options.hop && { hop: options.hop }),
      onRefused: (reason) => refusals.push(reason),
    },
    session: {
      mode: options.mode ?? 'direct',
      routing: { table, isNeverRelayed: (destination) => neverRelay.has(destination) },
      identities: options.identities ?? new IdentityTable(),
      dialler: new Dialler({
        balancer: new Balancer(),
        timeoutMs: 2_000,
        onAttempt: (result) => metrics.dialled(result),
      }),
      report,
      metrics,
      bufferBytes: options.bufferBytes ?? 65_536,
    },
  });
  const address = await relay.listen({ address: '127.0.0.1', port: 0 });
  neverRelay.addOwnPort(address.port);
  const open = new Set<Socket>();
  const connectBare = async (): Promise<Socket> => {
    const socket = connect({ host: address.address, port: address.port, allowHalfOpen: true, noDelay: true });
    open.add(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  t.after(async () => {
    for (const socket of open) socket.destroy();
    await relay.drain(0);
  });
  return {
    relay,
    address,
    table,
    report,
    metrics,
    refusals,
    limits,
    connectBare,
    connect: async (destination) => {
      const socket = await connectBare();
      socket.write(proxyHeader({ address: '127.0.0.1', port: socket.localPort ?? 0 }, destination));
      return socket;
    },
    metric: async (name) => {
      const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${name} `));
      return Number(line?.split(' ')[1] ?? 0);
    },
  };
}

/** A TCP server on loopback that ends with the test. */
export async function startServer(
  t: TestContext,
  onConnection: (socket: Socket) => void,
  address = '127.0.0.1',
): Promise<SocketAddress & { readonly server: Server }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    onConnection(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const bound = server.address();
  if (typeof bound !== 'object' || !bound) throw new Error('the server listens on no port');
  return { address, port: bound.port, server };
}
