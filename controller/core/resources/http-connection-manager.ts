import { adsSource } from './ads-source.ts';
import { http1Options, http2Options } from './http-options.ts';
import { extension, type Message, typed } from './message.ts';
import { routeName } from './names.ts';

/** Nothing times out that would not time out without a sidecar. */
function timeouts(): Message {
  return {
    stream_idle_timeout: '0s',
    request_timeout: '0s',
    request_headers_timeout: '0s',
    drain_timeout: '5s',
    delayed_close_timeout: '1s',
  };
}

/** Heads and paths pass as they are. */
function transparency(): Message {
  return {
    server_header_transformation: 'PASS_THROUGH',
    generate_request_id: false,
    preserve_external_request_id: true,
    use_remote_address: false,
    skip_xff_append: true,
    normalize_path: false,
    merge_slashes: false,
    path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
    proxy_100_continue: true,
    stream_error_on_invalid_http_message: true,
  };
}

function downstreamProtocols(): Message {
  return {
    common_http_protocol_options: {
      idle_timeout: '0s',
      max_headers_count: 1000,
      headers_with_underscores_action: 'ALLOW',
    },
    max_request_headers_kb: 8192,
    http_protocol_options: {
      ...http1Options(),
      allow_absolute_url: true,
      accept_http_10: true,
      default_host_for_http_10: 'http10.invalid',
      allow_custom_methods: true,
      allow_chunked_length: false,
    },
    http2_protocol_options: { ...http2Options(), override_stream_error_on_invalid_http_message: true },
  };
}

/** Routes the requests of one HTTP port by their host; the routes come by RDS under the port's number. */
export function httpConnectionManager(port: number): Message {
  return extension(
    'envoy.filters.network.http_connection_manager',
    typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
      stat_prefix: `outbound_${port}`,
      rds: { route_config_name: routeName(port), config_source: adsSource() },
      http_filters: [
        extension(
          'envoy.filters.http.router',
          typed('envoy.extensions.filters.http.router.v3.Router', { suppress_envoy_headers: true }),
        ),
      ],
      upgrade_configs: [{ upgrade_type: 'websocket' }, { upgrade_type: 'CONNECT' }, { upgrade_type: 'spdy/3.1' }],
      ...timeouts(),
      ...downstreamProtocols(),
      ...transparency(),
    }),
  );
}
