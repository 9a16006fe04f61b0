/**
 * Node's own HTTP/1 parser as a second opinion. It is fed byte by byte, which tells exactly where it sees a head or a
 * message end.
 */
import { createRequire } from 'node:module';

/** What `node:http` itself uses; there is no other way to it that says where a message ends. */
interface Parser {
  initialize(type: number, resource: object, maxHeaderBytes: number): void;
  execute(bytes: Buffer): number | Error;
  [event: number]: (...args: never[]) => number | undefined;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser, methods } = createRequire(import.meta.url)('node:_http_common') as {
  readonly HTTPParser: ParserClass;
  readonly methods: readonly string[];
};

const MAX_HEADER_BYTES = 1024 * 1024;
const NO_BODY = 1;
const UPGRADE = 2;

/** A message as it was read; offsets are behind the last byte. */
export interface ReferenceMessage {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Names in lower case. */
  readonly fields: readonly (readonly [string, string])[];
  readonly headEnd: number;
  /** `undefined` where it has not ended. */
  end?: number;
}

export interface ReferenceReading {
  readonly messages: readonly ReferenceMessage[];
  /** Where it found an error. */
  readonly brokenAt?: number;
  /** Another protocol follows the last message, which has ended. */
  readonly upgraded: boolean;
}

/** @param followUp what follows a head, where that is not for the head alone to say */
function read(
  type: number,
  bytes: Buffer,
  followUp: (message: ReferenceMessage, count: number) => number,
): ReferenceReading {
  const messages: ReferenceMessage[] = [];
  const parser = new HTTPParser();
  let spilled: string[] = [];
  let spilledTarget = '';
  let at = 0;
  let upgraded = false;
  parser.initialize(type, {}, MAX_HEADER_BYTES);
  // Many fields come in portions, with the target in the first one; so do trailers.
  parser[HTTPParser.kOnHeaders] = (headers: string[], target: string) => {
    spilled.push(...headers);
    spilledTarget ||= target;
    return 0;
  };
  parser[HTTPParser.kOnHeadersComplete] = (...args: readonly unknown[]) => {
    const [, , headers = [], method, url, status, , upgrade] = args as [
      number,
      number,
      string[]?,
      number?,
      string?,
      number?,
      string?,
      boolean?,
    ];
    const flat = [...spilled, ...headers];
    const target = url ?? spilledTarget;
    [spilled, spilledTarget] = [[], ''];
    const message: ReferenceMessage = {
      method: methods[method ?? -1] ?? '',
      target,
      status: status ?? 0,
      fields: flat.flatMap((name, index) =>
        index % 2 === 0 ? [[name.toLowerCase(), flat[index + 1] ?? ''] as const] : [],
      ),
      headEnd: at + 1,
    };
    messages.push(message);
    const decision = followUp(message, messages.length);
    upgraded = decision === UPGRADE || (type === HTTPParser.REQUEST && upgrade === true);
    return decision;
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    const last = messages.at(-1);
    if (last) last.end = at + 1;
    [spilled, spilledTarget] = [[], ''];
    return 0;
  };
  for (; at < bytes.length; at += 1) {
    const result = parser.execute(bytes.subarray(at, at + 1));
    if (typeof result !== 'number') return { messages, brokenAt: at, upgraded: false };
    if (upgraded && messages.at(-1)?.end !== undefined) return { messages, upgraded };
  }
  return { messages, upgraded: false };
}

export function readRequests(bytes: Buffer): ReferenceReading {
  return read(HTTPParser.REQUEST, bytes, () => 0);
}

/**
 * @param methodsAsked of the requests that are answered, in order
 * @returns final responses and informational ones alike
 */
export function readResponses(bytes: Buffer, methodsAsked: readonly string[]): ReferenceReading {
  let answered = 0;
  return read(HTTPParser.RESPONSE, bytes, ({ status }) => {
    const method = methodsAsked[answered];
    if (status === 101) return UPGRADE;
    if (status < 200) return NO_BODY;
    answered += 1;
    if (method === 'CONNECT' && status < 300) return UPGRADE;
    // As node:http tells it for HEAD; of 204 and 304 RFC 9112 section 6.3 says the same.
    return method === 'HEAD' || status === 204 || status === 304 ? NO_BODY : 0;
  });
}
