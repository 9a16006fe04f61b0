import fc from 'fast-check';
import type { FuzzInput } from './runs.ts';

/** One change of an input. Places are fractions of 2^16, so that each means something in inputs of any length. */
type Mutation =
  | { readonly kind: 'Flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'Set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'Insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'Delete'; readonly at: number; readonly length: number }
  | { readonly kind: 'Duplicate'; readonly at: number; readonly length: number }
  | { readonly kind: 'Truncate'; readonly at: number }
  | { readonly kind: 'Splice'; readonly at: number; readonly other: Buffer; readonly from: number };

const FRACTION = 2 ** 16;
/** No longer than is needed to reach the bounds of a parser; a chain of duplications would grow without end. */
const MAX_BYTES = 200_000;
const PLAIN = { noNullPrototype: true } as const;
const place = fc.nat(FRACTION - 1);
const shortLength = fc.nat(64);

function mutations(seeds: readonly Buffer[], dictionary: readonly Buffer[]): fc.Arbitrary<Mutation> {
  const word = fc.oneof(fc.constantFrom(...dictionary), fc.uint8Array({ minLength: 1, maxLength: 8 }));
  return fc.oneof(
    fc.record({ kind: fc.constant('Flip'), at: place, bit: fc.nat(7) } as const, PLAIN),
    fc.record({ kind: fc.constant('Set'), at: place, byte: fc.nat(255) } as const, PLAIN),
    { arbitrary: fc.record({ kind: fc.constant('Insert'), at: place, bytes: word } as const, PLAIN), weight: 3 },
    fc.record({ kind: fc.constant('Delete'), at: place, length: shortLength } as const, PLAIN),
    fc.record({ kind: fc.constant('Duplicate'), at: place, length: shortLength } as const, PLAIN),
    fc.record({ kind: fc.constant('Truncate'), at: place } as const, PLAIN),
    fc.record(
      { kind: fc.constant('Splice'), at: place, other: fc.constantFrom(...seeds), from: place } as const,
      PLAIN,
    ),
  );
}

function mutate(bytes: Buffer, mutation: Mutation): Buffer {
  const at = Math.floor((mutation.at / FRACTION) * (bytes.length + 1));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (mutation.kind) {
    case 'Flip':
      return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << mutation.bit)]), after.subarray(1)]);
    case 'Set':
      return Buffer.concat([before, Buffer.from([mutation.byte]), after.subarray(1)]);
    case 'Insert':
      return Buffer.concat([before, mutation.bytes, after]);
    case 'Delete':
      return Buffer.concat([before, after.subarray(mutation.length)]);
    case 'Duplicate':
      return Buffer.concat([before, after.subarray(0, mutation.length), after]);
    case 'Truncate':
      return before;
    default:
      return Buffer.concat([
        before,
        mutation.other.subarray(Math.floor((mutation.from / FRACTION) * mutation.other.length)),
      ]);
  }
}

/**
 * Inputs that are like the given ones: each of them with a few bytes flipped, inserted, deleted or repeated, or with the
 * end of another; now and then bytes that are like nothing.
 * @param dictionary what is inserted besides single bytes: what the format is made of
 */
export function mutatedInputs(
  seeds: Iterable<Buffer>,
  dictionary: readonly (string | Buffer)[],
): fc.Arbitrary<FuzzInput> {
  const all = [...seeds];
  const words = dictionary.map((word) => (typeof word === 'string' ? Buffer.from(word, 'latin1') : word));
  const mutated = fc
    .tuple(fc.constantFrom(...all), fc.array(mutations(all, words), { maxLength: 6 }))
    .map(([seed, changes]) => changes.reduce(mutate, seed).subarray(0, MAX_BYTES));
  const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  return fc.record(
    {
      bytes: fc.oneof({ arbitrary: mutated, weight: 19 }, { arbitrary: anyBytes, weight: 1 }),
      cuts: fc.array(fc.nat(FRACTION), { maxLength: 12 }),
    },
    PLAIN,
  );
}
