declare const sole: unique symbol;

/** An address that stands for itself: a string that the compiler does not take for a list of its characters. */
interface SoleAddress {
  readonly [sole]: true;
}

/**
 * Addresses of a Service or Pod in canonical text, in their order: one alone needs no list. Nearly all have one, and where
 * there are tens of thousands of them a list takes twice what is in it.
 */
export type Addresses = SoleAddress | readonly string[];

/** The form that equal addresses always have. */
export function asAddresses(list: readonly string[]): Addresses {
  const [only] = list;
  return list.length === 1 && only !== undefined ? (only as unknown as SoleAddress) : list;
}

export function addressesOf(addresses: Addresses): readonly string[] {
  return isList(addresses) ? addresses : [addresses as unknown as string];
}

function isList(addresses: Addresses): addresses is readonly string[] {
  return Array.isArray(addresses);
}
