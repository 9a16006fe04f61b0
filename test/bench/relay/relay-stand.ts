/**
 * Where proxies are measured: all of them, load and origin in one network namespace, so that bytes cross nothing but
 * loopback. Our egress reports to a real controller; so does Envoy.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { SocketAddress } from '../../../controller/core/model.ts';
import type { EdgeReport } from '../../../controller/core/report.ts';
import { socketAddressText } from '../../../controller/core/socket-address.ts';
import { toolsPath } from '../../mesh/servers/build-environment.ts';
import { Bed } from '../../support/bed/bed.ts';
import type { Controller } from '../../support/bed/controller.ts';
import type { Egress } from '../../support/bed/egress.ts';
import type { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';
import { KubernetesFolder } from '../../support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { CONTROLLER_GRPC_PORT } from '../../support/bed/ports.ts';
import { eventually } from '../../support/eventually.ts';
import { LOAD_CORE, MEASURED_CORE, pin } from '../method/pin.ts';
import { buildLoad, Load } from './load-program.ts';
import { envoyEgress } from './proxies/envoy.ts';
import { haproxy } from './proxies/haproxy.ts';
import { nginxHttp, nginxStream } from './proxies/nginx.ts';
import type { Place } from './proxies/place.ts';

const HTTP_PORT = 8_080;
const TCP_PORT = 9_000;
const HTTP_PROXY = new URL('../programs/http-proxy-server.ts', import.meta.url);

/** Of the load, so that nobody has to wake it; short beside the time that 64 requests take the fastest proxy. */
const REST_MICROSECONDS = 100;

/** A proxy that runs. */
export interface RunningProxy {
  readonly name: string;
  readonly listen: SocketAddress;
  readonly pid: number;
}

export interface Demand {
  readonly kind: 'http' | 'bulk';
  readonly connections: number;
  /** Of a response to `http`. */
  readonly bodyBytes: number;
}

export class RelayStand {
  readonly #bed: Bed;
  readonly #pod: Pod;
  readonly #egress: Egress;
  readonly #controller: Controller;
  readonly #clusterIP: string;
  readonly #loadProgram: string;
  #ports = 20_000;

  private constructor(bed: Bed) {
    this.#bed = bed;
    this.#egress = bed.egress();
    this.#pod = this.#egress.pod;
    this.#clusterIP = bed.clusterIP();
    this.#loadProgram = buildLoad(bed.folder('load'));
    this.#controller = bed.controller(this.#mesh(), { egress: this.#egress });
  }

  /** With controller and egress running. */
  static async open(): Promise<RelayStand> {
    const stand = new RelayStand(await Bed.create());
    await Promise.all([stand.#controller.start(), stand.#egress.start()]);
    await stand.#egress.ready();
    pin(stand.#controller.process.pid, LOAD_CORE);
    pin(stand.#egress.process.pid, MEASURED_CORE);
    return stand;
  }

  #mesh(): KubernetesFolder {
    const mesh = new KubernetesFolder(this.#bed.folder('mesh'));
    const clusterIP = this.#clusterIP;
    const ports = { http: HTTP_PORT, tcp: TCP_PORT };
    const targetPorts = { tcp: HTTP_PORT };
    const endpoints = [this.#pod.address];
    mesh.apply(podObject(this.#pod));
    mesh.write('service.yaml', serviceObjects({ name: 'origin', clusterIP, ports, targetPorts, endpoints }));
    return mesh;
  }

  get egress(): RunningProxy {
    return { name: 'egress', listen: this.#egress.listen, pid: this.#egress.process.pid };
  }

  async envoy(): Promise<RunningProxy & { readonly admin: EnvoyAdmin }> {
    const listen = this.#freePlace();
    const { address, name, namespace } = this.#pod;
    const node = nodeIdOfEnvoy(address, name, namespace);
    const controller = { address: this.#bed.network.hostAddress, port: CONTROLLER_GRPC_PORT };
    const bootstrap = envoyEgress({ node, listen, origin: this.#origin, controller });
    const { process, admin } = await this.#pod.startEnvoy(bootstrap, { concurrency: 1 });
    pin(process.pid, MEASURED_CORE);
    return { name: 'Envoy with one worker and ALS', listen, pid: process.pid, admin };
  }

  async httpProxy(): Promise<RunningProxy> {
    const listen = this.#freePlace();
    const server = await this.#pod.load<typeof import('../programs/http-proxy-server.ts')>(HTTP_PROXY);
    await server.call('serve', listen, this.#origin);
    pin(server.process.pid, MEASURED_CORE);
    return { name: 'http-proxy of npm', listen, pid: server.process.pid };
  }

  async haproxy(): Promise<RunningProxy> {
    return this.#start('HAProxy in TCP mode', haproxy);
  }

  async nginxStream(): Promise<RunningProxy> {
    return this.#start('nginx as TCP proxy', nginxStream);
  }

  async nginxHttp(): Promise<RunningProxy> {
    return this.#start('nginx as HTTP proxy', nginxHttp);
  }

  async #start(name: string, commandFor: (place: Place) => readonly string[]): Promise<RunningProxy> {
    const listen = this.#freePlace();
    const program = name.replaceAll(' ', '-');
    const command = commandFor({ listen, origin: this.#origin, folder: this.#bed.folder(program) });
    const process = this.#bed.start({
      name: program,
      namespace: this.#pod.netns,
      command: ['taskset', '-c', String(MEASURED_CORE), ...command],
      environment: { PATH: toolsPath() },
    });
    await eventually(`${name} listens`, async () => {
      process.assertRunning();
      return listens(listen);
    });
    return { name, listen, pid: process.pid };
  }

  /** The load, through a proxy, and the origin behind it. */
  load({ listen }: RunningProxy, { kind, connections, bodyBytes }: Demand): Load {
    return new Load({
      program: this.#loadProgram,
      namespace: this.#pod.netns,
      core: LOAD_CORE,
      flags: {
        kind,
        listen: socketAddressText(this.#origin),
        through: socketAddressText(listen),
        destination: `${this.#clusterIP}:${kind === 'http' ? HTTP_PORT : TCP_PORT}`,
        host: 'origin',
        body: bodyBytes,
        connections,
        rest: `${REST_MICROSECONDS}us`,
      },
    });
  }

  /** Edges that the egress's reports have taught the controller. */
  async edges(): Promise<readonly EdgeReport[]> {
    return this.#controller.api.edges();
  }

  destroy(): void {
    this.#bed.destroy();
  }

  get #origin(): SocketAddress {
    return { address: this.#pod.address, port: HTTP_PORT };
  }

  #freePlace(): SocketAddress {
    this.#ports += 1;
    return { address: this.#pod.address, port: this.#ports };
  }
}

/** A second egress in the same pod. */
function nodeIdOfEnvoy(address: string, pod: string, namespace: string): string {
  return `egress~${address}~${pod}-envoy.${namespace}~${namespace}.svc.cluster.local`;
}

async function listens({ address, port }: SocketAddress): Promise<boolean> {
  const socket = connect({ host: address, port });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
