/**
 * Addresses of a Service or Pod in canonical text, in their order: one alone stands for itself. Nearly all have one, and
 * where there are tens of thousands of them a list takes twice what is in it.
 */
export type Addresses = string | readonly string[];

/** The form that equal addresses always have. */
export function asAddresses(list: readonly string[]): Addresses {
  const [only] = list;
  return list.length === 1 && only !== undefined ? only : list;
}

export function addressesOf(addresses: Addresses): readonly string[] {
  return typeof addresses === 'string' ? [addresses] : addresses;
}
