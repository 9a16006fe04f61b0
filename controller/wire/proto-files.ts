/** Envoy's `.proto` files that we speak, and the few fields that the packaged copy is too old to have. */

/** Root files; what they import is loaded with them. Paths are relative to the include folders of the package. */
export const PROTO_FILES = [
  'envoy/service/discovery/v3/ads.proto',
  'envoy/service/accesslog/v3/als.proto',
  'envoy/config/bootstrap/v3/bootstrap.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto',
  'envoy/extensions/filters/listener/original_dst/v3/original_dst.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case.proto',
  'envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto',
  'envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
] as const;

/** A field or enum value that Envoy has and the packaged `.proto` files lack. */
export type ProtoAddition =
  | { readonly message: string; readonly field: string; readonly number: number; readonly type: string }
  | { readonly enum: string; readonly value: string; readonly number: number };

/**
 * Names and numbers as in the descriptors inside Envoy 1.40.0. When the package catches up, loading fails with
 * "duplicate name" and the line goes.
 */
export const PROTO_ADDITIONS: readonly ProtoAddition[] = [
  {
    message: 'envoy.config.core.v3.HttpProtocolOptions',
    field: 'max_response_headers_kb',
    number: 7,
    type: 'google.protobuf.UInt32Value',
  },
  { enum: 'envoy.data.accesslog.v3.AccessLogType', value: 'TcpConnectionStart', number: 14 },
];
