/** One workload of the shop, loaded into its pod: serves, and calls what it depends on. */
import { setTimeout as delay } from 'node:timers/promises';
import { grpc } from './protocols/grpc.ts';
import { http1 } from './protocols/http1.ts';
import type { Protocol, ServerKeys, Target } from './protocols/protocol.ts';
import { tcp } from './protocols/tcp.ts';
import { tls } from './protocols/tls.ts';
import { webSocket } from './protocols/web-socket.ts';
import type { ProtocolName } from './shop.ts';
import { type Path, pathOf, type Witness } from './witness.ts';

const PROTOCOLS: Readonly<Record<ProtocolName, Protocol>> = { http1, grpc, websocket: webSocket, tcp, tls };

/** Calls follow each other closely until the first direct one, then calmly. Sidecars are asked after each call. */
const EAGER_PAUSE_MS = { Server: 5, Sidecar: 20 } as const;
const CALM_PAUSE_MS = 100;

export interface Call extends Target {
  readonly protocol: ProtocolName;
  /** As sidecars call it: `outbound|port||host`. */
  readonly cluster: string;
}

/** What happened on the way from the first call to the direct path. */
export type Milestone =
  | {
      readonly kind: 'FirstAnswer';
      readonly to: string;
      readonly protocol: ProtocolName;
      readonly ms: number;
      readonly path: Path;
      /** The address that the server saw. */
      readonly from: string;
    }
  /** The first answer that came without the egress. */
  | { readonly kind: 'Direct'; readonly to: string; readonly protocol: ProtocolName; readonly ms: number }
  | { readonly kind: 'Failure'; readonly to: string; readonly protocol: ProtocolName; readonly message: string };

export interface RequestCounts {
  readonly total: number;
  readonly failed: number;
}

const counts = { total: 0, failed: 0 };
const loops: Promise<void>[] = [];
let isCalling = true;
let milestones: Milestone[] = [];
let wake: () => void = () => undefined;

/** Serves each port until the process ends. */
export async function serve(
  ports: readonly { protocol: ProtocolName; port: number }[],
  keys: ServerKeys,
): Promise<void> {
  await Promise.all(ports.map(({ protocol, port }) => PROTOCOLS[protocol].serve(port, keys)));
}

/** Calls each of these for ever, one after the other. */
export function startCalling(calls: readonly Call[], witness: Witness): void {
  for (const call of calls) loops.push(keepCalling(call, witness));
}

/** Waits for milestones, and takes them; none come after the calls have ended. */
export async function nextMilestones(): Promise<readonly Milestone[]> {
  if (milestones.length === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  const taken = milestones;
  milestones = [];
  return taken;
}

/** Ends the calls; counts all of them. */
export async function stopCalling(): Promise<RequestCounts> {
  isCalling = false;
  await Promise.all(loops);
  wake();
  return counts;
}

function tell(milestone: Milestone): void {
  milestones.push(milestone);
  wake();
}

async function keepCalling({ protocol, cluster, ...target }: Call, witness: Witness): Promise<void> {
  const client = PROTOCOLS[protocol].client(target);
  const began = performance.now();
  const told = { first: false, direct: false };
  while (isCalling) {
    counts.total += 1;
    try {
      const from = await client.call();
      const about = { to: target.name, protocol, ms: performance.now() - began };
      const path = told.direct ? 'Direct' : await pathOf(witness, { from, cluster });
      if (!told.first) tell({ kind: 'FirstAnswer', ...about, path, from });
      if (!told.direct && path === 'Direct') tell({ kind: 'Direct', ...about });
      told.first = true;
      told.direct ||= path === 'Direct';
    } catch (error) {
      counts.failed += 1;
      tell({
        kind: 'Failure',
        to: target.name,
        protocol,
        message: error instanceof Error ? error.message : String(error),
      });
    }
    await delay(told.direct ? CALM_PAUSE_MS : EAGER_PAUSE_MS[witness.kind]);
  }
}
