import { InvalidArgumentError } from 'commander';
import type { SocketAddress } from '../core/model.ts';
import { readSocketAddress, SOCKET_ADDRESS_FORM } from '../core/socket-address.ts';

/**
 * Reads the value of a flag of either program.
 * @throws InvalidArgumentError, which commander shows with the flag's name
 */
export function parseSocketAddress(text: string): SocketAddress {
  const address = readSocketAddress(text);
  if (!address) throw new InvalidArgumentError(`It must be ${SOCKET_ADDRESS_FORM}.`);
  return address;
}
