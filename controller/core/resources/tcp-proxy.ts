import { extension, type Message, typed } from './message.ts';

/** Pipes a connection to a cluster, for as long as both ends want: no idle timeout. */
export function tcpProxy(cluster: string): Message {
  return extension(
    'envoy.filters.network.tcp_proxy',
    typed('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
      stat_prefix: cluster,
      cluster,
      idle_timeout: '0s',
    }),
  );
}
