/** One workload of the shop, run inside its pod: serves, and calls what it depends on. Commanded by IPC. */
import { setTimeout as delay } from 'node:timers/promises';
import { grpc } from './protocols/grpc.ts';
import { http1 } from './protocols/http1.ts';
import type { Protocol, ServerKeys, Target } from './protocols/protocol.ts';
import { tcp } from './protocols/tcp.ts';
import { tls } from './protocols/tls.ts';
import { webSocket } from './protocols/web-socket.ts';
import type { ProtocolName } from './shop.ts';

const PROTOCOLS: Readonly<Record<ProtocolName, Protocol>> = { http1, grpc, websocket: webSocket, tcp, tls };

/** Calls follow each other closely until the first direct one, then calmly. */
const EAGER_PAUSE_MS = 5;
const CALM_PAUSE_MS = 100;

/** What the demo tells an application. */
export type Order =
  | {
      readonly kind: 'Serve';
      readonly ports: readonly { protocol: ProtocolName; port: number }[];
      readonly keys: ServerKeys;
    }
  | {
      readonly kind: 'Call';
      readonly ownAddress: string;
      readonly targets: readonly (Target & { protocol: ProtocolName })[];
    }
  | { readonly kind: 'Stop' };

/** What an application tells the demo. */
export type Report =
  | { readonly kind: 'Serving' }
  | {
      readonly kind: 'FirstAnswer';
      readonly to: string;
      readonly protocol: ProtocolName;
      readonly ms: number;
      readonly from: string;
    }
  | { readonly kind: 'Direct'; readonly to: string; readonly protocol: ProtocolName; readonly ms: number }
  | { readonly kind: 'Failure'; readonly to: string; readonly message: string }
  | { readonly kind: 'Stopped'; readonly total: number; readonly failed: number };

const counts = { total: 0, failed: 0 };
let isRunning = true;
const loops: Promise<void>[] = [];

function tell(report: Report): void {
  process.send?.(report);
}

/** Calls one dependency for ever, and tells the first answer and the first direct one. */
async function keepCalling(
  { protocol, ...target }: Target & { protocol: ProtocolName },
  ownAddress: string,
): Promise<void> {
  const client = PROTOCOLS[protocol].client(target);
  const began = performance.now();
  const told = { first: false, direct: false };
  while (isRunning) {
    counts.total += 1;
    try {
      const from = await client.call();
      const ms = performance.now() - began;
      if (!told.first) tell({ kind: 'FirstAnswer', to: target.name, protocol, ms, from });
      if (!told.direct && from === ownAddress) tell({ kind: 'Direct', to: target.name, protocol, ms });
      told.first = true;
      told.direct ||= from === ownAddress;
    } catch (error) {
      counts.failed += 1;
      tell({ kind: 'Failure', to: target.name, message: error instanceof Error ? error.message : String(error) });
    }
    await delay(told.direct ? CALM_PAUSE_MS : EAGER_PAUSE_MS);
  }
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'Serve') {
    await Promise.all(order.ports.map(({ protocol, port }) => PROTOCOLS[protocol].serve(port, order.keys)));
    tell({ kind: 'Serving' });
  } else if (order.kind === 'Call') {
    for (const target of order.targets) loops.push(keepCalling(target, order.ownAddress));
  } else {
    isRunning = false;
    await Promise.all(loops);
    tell({ kind: 'Stopped', ...counts });
  }
}

process.on('message', (order: Order) => void obey(order));
process.on('disconnect', () => process.exit(0));
