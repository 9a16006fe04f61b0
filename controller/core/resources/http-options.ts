/** HTTP settings that leave requests and responses as they are: case, order, paths, trailers, reason phrases. */
import { extension, type Message, typed } from './message.ts';

/** Header names in the case they were sent, reason phrases and trailers included. */
export function http1Options(): Message {
  return {
    header_key_format: {
      stateful_formatter: extension(
        'preserve_case',
        typed('envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig', {
          forward_reason_phrase: true,
        }),
      ),
    },
    enable_trailers: true,
  };
}

/** Extended CONNECT allowed, as many streams as the peer opens. */
export function http2Options(): Message {
  return { allow_connect: true, max_concurrent_streams: 2147483647 };
}

/**
 * `typed_extension_protocol_options` of a cluster: speaks upstream what the application speaks.
 * @param idleTimeout how long an unused upstream connection is kept, for example `'300s'`
 */
export function upstreamHttpOptions(idleTimeout: string): Message {
  const name = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    [name]: typed(name, {
      common_http_protocol_options: {
        idle_timeout: idleTimeout,
        max_headers_count: 1000,
        max_response_headers_kb: 1024,
      },
      use_downstream_protocol_config: {
        http_protocol_options: http1Options(),
        http2_protocol_options: http2Options(),
      },
    }),
  };
}
