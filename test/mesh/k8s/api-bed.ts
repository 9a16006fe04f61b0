/** A bed with etcd and a real API server alone, for what needs no mesh: up in seconds. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed } from '../../support/bed/bed.ts';
import { ApiServer, kubeconfig } from '../bed/api-server.ts';
import { applyCrds } from '../bed/crds.ts';
import { etcd } from '../bed/etcd.ts';
import type { KubernetesClient } from '../bed/kubernetes-client.ts';
import type { MeshServer } from '../bed/mesh-server.ts';
import { builtServers } from '../servers/server-cache.ts';
import { istio, kubeApiServer } from '../servers/server-module.ts';

/** A name of the API server's certificate, for those who reach it by another address. */
const SERVER_NAME = 'kubernetes.default.svc';

export interface KubeconfigOptions {
  /** The administrator's by default. */
  readonly token?: string;
  /** A file with the token, instead of it. */
  readonly tokenFile?: string;
  /** An entry of `users`, instead of both. */
  readonly user?: object;
  /** Where it seems to be, as `https://host:port`, or `http://` in front of it. */
  readonly server?: string;
}

export class ApiBed {
  readonly bed: Bed;
  readonly etcd: MeshServer;
  readonly apiServer: ApiServer;

  private constructor(bed: Bed, servers: string) {
    this.bed = bed;
    this.etcd = etcd(bed);
    this.apiServer = new ApiServer(bed, servers);
  }

  /** @param options `istioKinds`: with Istio's kinds, which take a second */
  static async start({ istioKinds = false } = {}): Promise<ApiBed> {
    const servers = await builtServers(kubeApiServer);
    const bed = await Bed.create();
    try {
      const api = new ApiBed(bed, servers);
      await api.etcd.start();
      await api.apiServer.start();
      if (istioKinds) await applyCrds(api.client, await builtServers(istio));
      return api;
    } catch (error) {
      bed.destroy();
      throw error;
    }
  }

  /** As an administrator. */
  get client(): KubernetesClient {
    return this.apiServer.client;
  }

  /** A new kubeconfig file. */
  kubeconfig({ token, tokenFile, user, server }: KubeconfigOptions = {}): string {
    const config = JSON.parse(kubeconfig(this.client.access));
    if (token !== undefined) config.users[0].user = { token };
    if (tokenFile !== undefined) config.users[0].user = { tokenFile };
    if (user !== undefined) config.users[0].user = user;
    const [entry] = config.clusters;
    if (server?.startsWith('https:')) Object.assign(entry.cluster, { server, 'tls-server-name': SERVER_NAME });
    // The library refuses a server without TLS otherwise.
    else if (server !== undefined) entry.cluster = { server, 'insecure-skip-tls-verify': true };
    const file = join(mkdtempSync(join(this.bed.folder('kubeconfig'), 'config-')), 'config');
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  async namespace(name: string): Promise<void> {
    await this.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  destroy(): void {
    this.bed.destroy();
  }
}
