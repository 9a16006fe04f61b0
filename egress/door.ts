import type { Socket } from 'node:net';
import type { SocketAddress } from '../controller/core/model.ts';
import { namespaceOf } from '../controller/tls/spiffe-id.ts';
import { type AddressSet, canonicalAddress } from './address.ts';
import type { HandshakeOutcome, Hop, HopRefusal } from './hop.ts';
import type { Admission, LimitRefusal, Limits } from './limits.ts';
import { parseProxyHeader } from './proxy-protocol.ts';

/** How long a sidecar may take to send its PROXY header: it sends it with the connection. */
const HEADER_TIMEOUT_MS = 2_000;
const NO_BYTES: Buffer = Buffer.alloc(0);

export type DoorRefusal =
  | LimitRefusal
  | HopRefusal
  /** The TCP peer is outside the source ranges. */
  | 'SourceNotAllowed'
  | 'ClosedBeforeHeader'
  | 'HeaderTimeout'
  | 'BrokenHeader'
  /** The header names another source than the TCP peer. */
  | 'SourceMismatch';

export interface DoorOptions {
  /** Sources that are served. */
  readonly sources: AddressSet;
  readonly limits: Limits;
  /** Ends the sidecars' mTLS; absent where they come in clear. */
  readonly hop?: Hop;
  readonly onRefused: (reason: DoorRefusal, peer: string, detail: string) => void;
}

/** A connection that was let in. */
export interface Admitted {
  /** What the client sends and gets, in clear. */
  readonly client: Socket;
  /** The TCP connection below it; the same where the hop is in clear. */
  readonly transport: Socket;
  readonly source: SocketAddress;
  /** That of the source, by its certificate; absent where the hop is in clear. */
  readonly namespace?: string;
  /** The original destination. */
  readonly destination: SocketAddress;
  /** When the connection began. */
  readonly startTime: number;
  readonly admission: Admission;
  /** What came behind the header already. */
  readonly early: Buffer;
}

/**
 * Lets a connection in when its peer may be served, its PROXY header names that very peer, and under mTLS its identity
 * is that peer's. A refused connection is closed and counted.
 */
export function atTheDoor(client: Socket, options: DoorOptions, onAdmitted: (admitted: Admitted) => void): void {
  const peer = canonicalAddress(client.remoteAddress ?? '');
  const startTime = Date.now();
  client.on('error', ignore);
  const refuse = (reason: DoorRefusal, detail = ''): void => {
    options.onRefused(reason, peer, detail);
    client.destroy();
  };
  if (peer === '' || !options.sources.has(peer)) {
    refuse('SourceNotAllowed');
    return;
  }
  const admission = options.limits.admit(peer);
  if (typeof admission === 'string') {
    refuse(admission);
    return;
  }
  const release = (): void => admission.release();
  client.once('close', release);
  readHeader(client, peer, {
    onRefused: refuse,
    onHeader: ({ source, destination, early }) => {
      const connection = { transport: client, source, destination, startTime, admission };
      if (!options.hop) {
        client.off('close', release);
        onAdmitted({ ...connection, client, early });
        client.off('error', ignore);
        return;
      }
      // Below TLS it goes on to fail by itself, beside the socket above it.
      const onSecure: HandshakeOutcome['onSecure'] = (socket, id) => {
        client.off('close', release);
        const caller = id && { namespace: namespaceOf(id.workload) };
        onAdmitted({ ...connection, ...caller, client: socket, early: NO_BYTES });
      };
      options.hop.secure(client, early, peer, { onSecure, onRefused: refuse });
    },
  });
}

interface HeaderReader {
  readonly onRefused: (reason: DoorRefusal, detail?: string) => void;
  readonly onHeader: (header: Pick<Admitted, 'source' | 'destination' | 'early'>) => void;
}

function readHeader(client: Socket, peer: string, { onRefused, onHeader }: HeaderReader): void {
  let bytes: Buffer | undefined;
  const timer = setTimeout(() => refuse('HeaderTimeout'), HEADER_TIMEOUT_MS);
  const stop = (): void => {
    clearTimeout(timer);
    client.off('data', onData);
    client.off('end', onEnd);
    client.off('close', stop);
  };
  const refuse = (reason: DoorRefusal, detail?: string): void => {
    stop();
    onRefused(reason, detail);
  };
  const onEnd = (): void => refuse('ClosedBeforeHeader');
  const onData = (chunk: Buffer): void => {
    bytes = bytes ? Buffer.concat([bytes, chunk]) : chunk;
    const header = parseProxyHeader(bytes);
    if (header.kind === 'Incomplete') return;
    if (header.kind === 'Broken') refuse('BrokenHeader', header.reason);
    else if (header.source.address !== peer) refuse('SourceMismatch', `it names ${header.source.address}`);
    else {
      stop();
      client.pause();
      onHeader({ source: header.source, destination: header.destination, early: bytes.subarray(header.length) });
    }
  };
  client.on('data', onData);
  client.on('end', onEnd);
  client.on('close', stop);
}

/** A connection that fails before it is let in concerns nobody. */
function ignore(): void {}
