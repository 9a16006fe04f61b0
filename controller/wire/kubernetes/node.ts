/** v1 Node. */
import { z } from 'zod';
import { canonicalAddress } from './address.ts';
import { metadataSchema } from './metadata.ts';
import { kindReader } from './reduction.ts';

const nodeSchema = z.object({
  metadata: metadataSchema,
  status: z.object({ addresses: z.array(z.object({ address: z.string() })).nullish() }).nullish(),
});

/** Reads a v1 Node. Among its addresses are host names, which say nothing about a connection's destination. */
export const readNode = kindReader('Node', nodeSchema, ({ metadata, status }) => ({
  object: {
    kind: 'Node',
    namespace: '',
    name: metadata.name,
    addresses: (status?.addresses ?? []).flatMap(({ address }) => canonicalAddress(address) ?? []),
  },
}));
