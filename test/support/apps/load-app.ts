import type { Pod } from '../bed/pod.ts';
import type { RemoteModule } from '../bed/remote-module.ts';

/** The programs that tests run in pods, by the name of their file. */
export interface Apps {
  readonly 'capture-server': typeof import('./capture-server.ts');
  readonly 'connection-load': typeof import('./connection-load.ts');
  readonly crowd: typeof import('./crowd.ts');
  readonly greeter: typeof import('./greeter.ts');
  readonly 'grpc-client': typeof import('./grpc-client.ts');
  readonly 'grpc-server': typeof import('./grpc-server.ts');
  readonly hammer: typeof import('./hammer.ts');
  readonly 'hop-client': typeof import('./hop-client.ts');
  readonly 'http1-client': typeof import('./http1-client.ts');
  readonly 'http1-server': typeof import('./http1-server.ts');
  readonly 'http2-client': typeof import('./http2-client.ts');
  readonly 'http2-server': typeof import('./http2-server.ts');
  readonly learners: typeof import('./learners.ts');
  readonly load: typeof import('./load.ts');
  readonly 'raw-client': typeof import('./raw-client.ts');
  readonly 'tcp-client': typeof import('./tcp-client.ts');
  readonly 'tcp-server': typeof import('./tcp-server.ts');
  readonly 'websocket-client': typeof import('./websocket-client.ts');
}

export type App<N extends keyof Apps> = RemoteModule<Apps[N]>;

/**
 * Runs a program in a pod.
 * @param options `user`: whose connections they are; default root, so that they are redirected to Envoy
 */
export async function loadApp<N extends keyof Apps>(
  pod: Pod,
  name: N,
  options: { readonly user?: number } = {},
): Promise<App<N>> {
  return pod.load<Apps[N]>(new URL(`./${name}.ts`, import.meta.url), options);
}
