/** Envoy's messages as plain data in proto3 JSON form, with the field names of the `.proto` files. */

/** A message or a part of one. Reads like Envoy's own YAML. */
export type Message = { readonly [field: string]: unknown };

const TYPE_URL_PREFIX = 'type.googleapis.com/';

/**
 * A message inside a `google.protobuf.Any`.
 * @param name full name, for example `envoy.extensions.filters.http.router.v3.Router`
 */
export function typed(name: string, message: Message = {}): Message {
  return { '@type': TYPE_URL_PREFIX + name, ...message };
}

/** A named extension with its typed configuration: a filter, a transport socket, a formatter. */
export function extension(name: string, config: Message): Message {
  return { name, typed_config: config };
}

/** `envoy.config.core.v3.Address` of a TCP socket. */
export function socketAddress(address: string, port: number): Message {
  return { socket_address: { address, port_value: port } };
}
