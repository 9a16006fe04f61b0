import type { Follower, FollowerOwner } from './follower.ts';
import type { HeaderField } from './http2/header-block.ts';
import {
  CONTINUATION,
  FRAME_HEADER_BYTES,
  frameBytes,
  HEADERS,
  type HeaderFrames,
  readHeaderFrames,
  writeHeaderFrames,
} from './http2/header-frames.ts';
import { HpackDecoder } from './http2/hpack-decoder.ts';
import { encodeHeaderBlock } from './http2/hpack-encoder.ts';
import type { Complete } from './name-completion.ts';

const PREFACE_BYTES = 24;
const NO_BYTES: Buffer = Buffer.alloc(0);

/** Header blocks depend on those before them, so one that has changed changes all that follow. */
type State =
  /** Everything has passed as it came so far. */
  | 'AsTheyCame'
  /** All header blocks are encoded anew, without a table. */
  | 'Anew'
  /** Bytes pass unread. */
  | 'GivenUp'
  /** Nothing may pass any more. */
  | 'Lost';

/**
 * Completes the names in requests of an HTTP/2 connection. Header blocks wait until they are complete and pass as they
 * came, until the first one whose name is completed. All other frames pass as they come.
 */
export class Http2Follower implements Follower {
  readonly #owner: FollowerOwner;
  readonly #complete: Complete;
  readonly #decoder = new HpackDecoder();
  #state: State = 'AsTheyCame';
  /** The start of a frame or header block that is not complete yet. */
  #held: Buffer = NO_BYTES;
  /** Bytes that remain of what passes unread: the preface, or a frame. */
  #passing = PREFACE_BYTES;

  constructor(owner: FollowerOwner, complete: Complete) {
    this.#owner = owner;
    this.#complete = complete;
  }

  get isOver(): boolean {
    return this.#state === 'GivenUp';
  }

  get hasGivenUp(): boolean {
    return this.#state === 'GivenUp';
  }

  begin(bytes: Buffer): void {
    this.fromClient(bytes);
  }

  fromClient(chunk: Buffer): void {
    if (this.#state === 'Lost') return;
    if (this.#state === 'GivenUp') {
      this.#owner.forward(chunk);
      return;
    }
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = NO_BYTES;
    this.#read(bytes);
  }

  /** Responses name nothing. */
  fromUpstream(): void {}

  clientEnded(): void {
    // Behind blocks that were encoded anew, the start of another one would be decoded with a table that lacks entries.
    if (this.#held.length > 0 && this.#state === 'AsTheyCame') this.#owner.forward(this.#held);
    this.#held = NO_BYTES;
  }

  #read(bytes: Buffer): void {
    const parts: Buffer[] = [];
    let sent = 0;
    let at = this.#skip(bytes, 0);
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const type = bytes[at + 3];
      if (type !== HEADERS && type !== CONTINUATION) {
        this.#passing = frameBytes(bytes, at);
        at = this.#skip(bytes, at);
        continue;
      }
      const read = readHeaderFrames(bytes, at);
      if (read.kind === 'Incomplete') break;
      const frames = read.kind === 'Complete' ? this.#encode(read.frames) : undefined;
      if (read.kind === 'Broken' || frames === undefined) {
        this.#notUnderstood([...parts, bytes.subarray(sent)]);
        return;
      }
      if (frames !== 'AsTheyCame') {
        parts.push(bytes.subarray(sent, at), frames);
        sent = read.end;
      }
      at = read.end;
    }
    parts.push(sent === 0 && at === bytes.length ? bytes : bytes.subarray(sent, at));
    this.#held = bytes.subarray(at);
    this.#forward(parts);
  }

  /** @returns where reading goes on */
  #skip(bytes: Buffer, at: number): number {
    const skipped = Math.min(this.#passing, bytes.length - at);
    this.#passing -= skipped;
    return at + skipped;
  }

  /** @returns the frames to send instead; `undefined` where these are not understood */
  #encode(frames: HeaderFrames): Buffer | 'AsTheyCame' | undefined {
    const block = this.#decoder.decode(frames.block);
    if (!block) return undefined;
    const fields = this.#completed(block.fields);
    if (fields === block.fields && this.#state === 'AsTheyCame') return 'AsTheyCame';
    this.#state = 'Anew';
    return writeHeaderFrames({ ...frames, block: encodeHeaderBlock({ ...block, fields }) });
  }

  /** @returns the very fields where no name is completed */
  #completed(fields: readonly HeaderField[]): readonly HeaderField[] {
    let completed: HeaderField[] | undefined;
    for (const [at, field] of fields.entries()) {
      if (field.name !== ':authority' && field.name !== 'host') continue;
      const value = this.#complete(field.value);
      if (value === undefined) continue;
      completed ??= [...fields];
      completed[at] = { ...field, value };
    }
    return completed && !isForProxy(fields) ? completed : fields;
  }

  /** What was not touched yet may pass; else the upstream would decode with a table that lacks what we took out. */
  #notUnderstood(parts: readonly Buffer[]): void {
    if (this.#state === 'AsTheyCame') {
      this.#state = 'GivenUp';
      this.#forward(parts);
    } else {
      this.#state = 'Lost';
      this.#owner.abort('HeadersNotUnderstood');
    }
  }

  #forward(parts: readonly Buffer[]): void {
    const [only = NO_BYTES] = parts;
    const bytes = parts.length === 1 ? only : Buffer.concat(parts);
    if (bytes.length > 0) this.#owner.forward(bytes);
  }
}

/** The name after CONNECT is for a proxy behind us, unless it asks for another protocol (RFC 8441 section 4). */
function isForProxy(fields: readonly HeaderField[]): boolean {
  const isConnect = fields.some(({ name, value }) => name === ':method' && value === 'CONNECT');
  return isConnect && !fields.some(({ name }) => name === ':protocol');
}
