/** Calls of every protocol, each on a connection of its own. What they return is whom the server saw. */
import type { SocketAddress } from '../../../controller/core/model.ts';
import { makeCertificate } from '../../support/apps/certificate.ts';
import { type App, type Apps, loadApp } from '../../support/apps/load-app.ts';
import type { Pod } from '../../support/bed/pod.ts';
import type { MeshBed } from './mesh-bed.ts';

/** Where to, and by which name: Host, `:authority` or TLS server name. */
export interface Target extends SocketAddress {
  readonly host: string;
}

/** Ports that a server pod serves, by what it serves there. */
export interface ServedPorts {
  readonly http1?: readonly number[];
  readonly http2?: number;
  readonly grpc?: number;
  readonly tcp?: readonly number[];
  readonly tls?: readonly number[];
}

/** Whom the server is shown under mTLS, where the address is that of its own sidecar. */
export interface Caller {
  readonly peer: string;
  readonly identity: string | undefined;
}

type Server<N extends keyof Apps> = App<N> | undefined;

export class Calls {
  readonly #apps = new Map<Pod, Map<keyof Apps, Promise<unknown>>>();
  readonly #http1: App<'http1-server'>;
  readonly #http2: Server<'http2-server'>;
  readonly #grpc: Server<'grpc-server'>;
  #last = 0;

  private constructor(http1: App<'http1-server'>, http2: Server<'http2-server'>, grpc: Server<'grpc-server'>) {
    this.#http1 = http1;
    this.#http2 = http2;
    this.#grpc = grpc;
  }

  /** Starts what a server pod serves. */
  static async serve({ bed }: MeshBed, server: Pod, ports: ServedPorts): Promise<Calls> {
    const { http1 = [], http2, grpc, tcp = [], tls = [] } = ports;
    const [http1Server, http2Server, grpcServer, greeter] = await Promise.all([
      loadApp(server, 'http1-server'),
      http2 === undefined ? undefined : loadApp(server, 'http2-server'),
      grpc === undefined ? undefined : loadApp(server, 'grpc-server'),
      loadApp(server, 'greeter'),
    ]);
    for (const port of http1) await http1Server.call('listenHttp1', port);
    if (http2 !== undefined) await http2Server?.call('listenHttp2', http2);
    if (grpc !== undefined) await grpcServer?.call('listenGrpc', grpc);
    for (const port of tcp) await greeter.call('listenGreeter', port);
    const { key, certificate } = makeCertificate(bed.folder(`${server.name}-tls`), 'server');
    for (const port of tls) await greeter.call('listenGreeter', port, key, certificate);
    return new Calls(http1Server, http2Server, grpcServer);
  }

  /** A program in a pod, started at its first use. */
  async app<N extends keyof Apps>(pod: Pod, name: N): Promise<App<N>> {
    const apps = this.#apps.get(pod) ?? new Map<keyof Apps, Promise<unknown>>();
    this.#apps.set(pod, apps);
    const started = (apps.get(name) as Promise<App<N>> | undefined) ?? loadApp(pod, name);
    apps.set(name, started);
    return started;
  }

  async http1(client: Pod, to: Target): Promise<string> {
    return (await this.http1Caller(client, to)).peer;
  }

  async http1Caller(client: Pod, { address, port, host }: Target): Promise<Caller> {
    const app = await this.app(client, 'http1-client');
    const testCase = this.#case();
    const headers = { host, 'x-case': testCase };
    const answer = await app.call('send', { connection: testCase, address, port, path: '/peer', headers });
    if (answer.status !== 200) throw new Error(`${host} answered ${answer.status}: ${answer.body}`);
    const { rawHeaders } = await this.#http1.call('seenRequest', testCase);
    const at = rawHeaders.findIndex((name) => name.toLowerCase() === 'x-forwarded-client-cert');
    return { peer: answer.body, identity: /;URI=([^;,]*)$/.exec(rawHeaders[at + 1] ?? '')?.[1] };
  }

  async http2(client: Pod, { address, port, host }: Target): Promise<string> {
    const app = await this.app(client, 'http2-client');
    const testCase = this.#case();
    await app.call('openHttp2', testCase, address, port);
    const headers = { 'x-case': testCase };
    const answer = await app.call('postHttp2', testCase, { path: '/', authority: host, headers, body: 'hello' });
    if (answer.body !== 'received 5 bytes') throw new Error(`${host} answered ${answer.headers[':status']}`);
    return (await this.#http2?.call('seenStream', testCase))?.peer ?? '';
  }

  async grpc(client: Pod, { address, port, host }: Target): Promise<string> {
    const app = await this.app(client, 'grpc-client');
    const testCase = this.#case();
    await app.call('openChannel', testCase, `${address}:${port}`, host);
    const answer = await app.call('unary', testCase, 'hello', testCase);
    if (answer.message !== 'hello') throw new Error(`${host} answered ${answer.code}: ${answer.details}`);
    return (await this.#grpc?.call('callPeer', testCase)) ?? '';
  }

  async webSocket(client: Pod, { address, port, host }: Target): Promise<string> {
    const app = await this.app(client, 'websocket-client');
    const testCase = this.#case();
    const peer = await app.call('openWebSocket', testCase, `ws://${address}:${port}/`, host);
    const answer = await app.call('exchangeMessage', testCase, 'hello');
    await app.call('closeWebSocket', testCase);
    if (answer !== 'hello') throw new Error(`${host} answered ${answer}`);
    return peer;
  }

  /** A server that speaks first. */
  async tcp(client: Pod, { address, port }: SocketAddress): Promise<string> {
    return (await this.app(client, 'greeter')).call('askGreeter', { address, port });
  }

  async tls(client: Pod, { address, port, host }: Target): Promise<string> {
    return (await this.app(client, 'greeter')).call('askGreeter', { address, port, serverName: host });
  }

  /** A name that nothing had before. */
  #case(): string {
    this.#last += 1;
    return `case-${this.#last}`;
  }
}
