/**
 * The endpoints of a slice as one text: their addresses, separated by blanks, each followed by `!` where it is not ready.
 * A mesh has a hundred thousand of them that are seldom looked at, and objects would take ten times the memory.
 */

const NOT_READY = '!';

/** Addresses that are ready together, or are not. */
export interface EndpointAddresses {
  readonly addresses: readonly string[];
  readonly ready: boolean;
}

export function endpointText(endpoints: readonly EndpointAddresses[]): string {
  const words = endpoints.flatMap(({ addresses, ready }) =>
    ready ? addresses : addresses.map((address) => address + NOT_READY),
  );
  return words.join(' ');
}

/** Each address, in order. */
export function endpointsOf(text: string): { readonly address: string; readonly ready: boolean }[] {
  if (text === '') return [];
  return text.split(' ').map((word) => {
    const ready = !word.endsWith(NOT_READY);
    return { address: ready ? word : word.slice(0, -NOT_READY.length), ready };
  });
}
