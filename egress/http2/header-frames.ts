/** HEADERS with the CONTINUATION frames that belong to it: RFC 9113 sections 4.1, 6.2 and 6.10. */

export const FRAME_HEADER_BYTES = 9;
/** Longest sequence that is read, and held until it is complete. */
const MAX_HEADER_FRAMES_BYTES = 64 * 1024;
/** So many frames are read over and over while the last one is awaited; empty ones would cost nothing but that. */
const MAX_HEADER_FRAMES = 128;
/** Every receiver takes frames of this size: RFC 9113 section 4.2. */
const MAX_FRAGMENT_BYTES = 16_384;
const PRIORITY_BYTES = 5;

export const HEADERS = 1;
export const CONTINUATION = 9;

const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;

/** What a sequence of frames says. */
export interface HeaderFrames {
  readonly stream: number;
  readonly endsStream: boolean;
  /** Weight and dependency; empty where there are none. */
  readonly priority: Buffer;
  /** The header block, in HPACK. */
  readonly block: Buffer;
}

export type ReadHeaderFrames =
  | { readonly kind: 'Complete'; readonly frames: HeaderFrames; readonly end: number }
  | { readonly kind: 'Incomplete' }
  | { readonly kind: 'Broken' };

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
  readonly end: number;
}

const INCOMPLETE: ReadHeaderFrames = { kind: 'Incomplete' };
const BROKEN: ReadHeaderFrames = { kind: 'Broken' };
const NO_BYTES: Buffer = Buffer.alloc(0);

/** Length of the frame that begins at `at`, its header included. */
export function frameBytes(bytes: Buffer, at: number): number {
  return FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
}

/** Reads the sequence that begins at `start`; padding is left out. */
export function readHeaderFrames(bytes: Buffer, start: number): ReadHeaderFrames {
  const sequence = readSequence(bytes, start);
  const [first] = sequence;
  const last = sequence.at(-1);
  const isComplete = last !== undefined && (last.flags & END_HEADERS) !== 0;
  const length = (isComplete ? last.end : bytes.length) - start;
  if (length > MAX_HEADER_FRAMES_BYTES || sequence.length > MAX_HEADER_FRAMES) return BROKEN;
  if (!isSequence(sequence)) return BROKEN;
  if (!first || !isComplete) return INCOMPLETE;
  const content = readContent(first);
  if (!content) return BROKEN;
  const { priority, fragment } = content;
  const rest = sequence.slice(1).map(({ payload }) => payload);
  const block = rest.length === 0 ? fragment : Buffer.concat([fragment, ...rest]);
  const { stream, flags } = first;
  return {
    kind: 'Complete',
    frames: { stream, endsStream: (flags & END_STREAM) !== 0, priority, block },
    end: last.end,
  };
}

/** Complete frames, up to the one that ends the block. */
function readSequence(bytes: Buffer, start: number): readonly Frame[] {
  const frames: Frame[] = [];
  let frame = readFrame(bytes, start);
  while (frame) {
    frames.push(frame);
    const isLast = (frame.flags & END_HEADERS) !== 0 || frames.length > MAX_HEADER_FRAMES;
    frame = isLast ? undefined : readFrame(bytes, frame.end);
  }
  return frames;
}

/** RFC 9113 section 6.10: nothing may stand between the frames of one block. */
function isSequence(frames: readonly Frame[]): boolean {
  const stream = frames[0]?.stream;
  if (stream === 0) return false;
  return frames.every((frame, at) => frame.type === (at === 0 ? HEADERS : CONTINUATION) && frame.stream === stream);
}

function readFrame(bytes: Buffer, at: number): Frame | undefined {
  if (bytes.length - at < FRAME_HEADER_BYTES) return undefined;
  const end = at + frameBytes(bytes, at);
  if (end > bytes.length) return undefined;
  return {
    type: bytes[at + 3] ?? 0,
    flags: bytes[at + 4] ?? 0,
    stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
    payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
    end,
  };
}

/** @returns `undefined` where the payload is shorter than its flags say */
function readContent({ flags, payload }: Frame): { readonly priority: Buffer; readonly fragment: Buffer } | undefined {
  const isPadded = (flags & PADDED) !== 0;
  const start = isPadded ? 1 : 0;
  const fragmentStart = start + (flags & PRIORITY ? PRIORITY_BYTES : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (end < fragmentStart) return undefined;
  return { priority: payload.subarray(start, fragmentStart), fragment: payload.subarray(fragmentStart, end) };
}

/** The frames that say this, in as many as any receiver takes. */
export function writeHeaderFrames({ stream, endsStream, priority, block }: HeaderFrames): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  do {
    const isFirst = at === 0;
    const own = isFirst ? priority : NO_BYTES;
    const end = Math.min(block.length, at + MAX_FRAGMENT_BYTES - own.length);
    const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
    header.writeUIntBE(own.length + end - at, 0, 3);
    header[3] = isFirst ? HEADERS : CONTINUATION;
    header[4] =
      (end === block.length ? END_HEADERS : 0) |
      (isFirst && endsStream ? END_STREAM : 0) |
      (own.length > 0 ? PRIORITY : 0);
    header.writeUInt32BE(stream, 5);
    parts.push(header, own, block.subarray(at, end));
    at = end;
  } while (at < block.length);
  return Buffer.concat(parts);
}
