import type { HeaderField } from '../../../egress/http2/header-block.ts';
import { HEADERS } from '../../../egress/http2/header-frames.ts';
import { encodeHeaderBlock } from '../../../egress/http2/hpack-encoder.ts';

const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const SETTINGS = 4;
const END_STREAM_AND_HEADERS = 0x5;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** How a client begins. */
const BEGINNING: Buffer = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]);

/** What every request needs to be one, in HPACK. */
export const REQUEST_BLOCK: Buffer = encodeHeaderBlock({
  tableSizes: [],
  fields: [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'a'],
  ].map(([name = '', value = '']): HeaderField => ({ name, value, isNeverIndexed: false })),
});

/** Requests with these header blocks, one after another. */
export function requestsOf(blocks: readonly Buffer[]): Buffer {
  return Buffer.concat([
    BEGINNING,
    ...blocks.map((block, at) => frame(HEADERS, END_STREAM_AND_HEADERS, 2 * at + 1, block)),
  ]);
}
