import {
  type Asked,
  parseRequestHead,
  parseResponseHead,
  REQUEST_START,
  RESPONSE_START,
  type RequestHead,
  type ResponseHead,
} from './http1-head.ts';
import { Http1Messages } from './http1-messages.ts';

/** What {@link Http1Observer.nextRequest} came to. */
export type RequestEvent =
  /** A request head is complete: {@link Http1Observer.request}. To be admitted before reading on. */
  | 'Head'
  /** A request is complete. */
  | 'End'
  /** All bytes are read; the returned offset is where an incomplete head begins. Bring that again, with more. */
  | 'More'
  /** The observer has given up. */
  | 'Broken';

/** A response head in latin1, what it answered, and what it meant. */
interface ReadResponse extends Asked {
  readonly head: string;
  readonly response: ResponseHead | undefined;
}

const NO_BYTES: Buffer = Buffer.alloc(0);
/** Requests without an answer that are kept in mind. Clients that pipeline send some dozens. */
export const MAX_UNANSWERED = 1_000;

/**
 * Follows the messages of an HTTP/1 connection in both directions without touching a byte. Request bytes are stepped
 * through, so that a caller can act at message boundaries; response bytes are only counted along.
 * Gives up for good on what it does not understand.
 */
export class Http1Observer {
  /** The last request head. */
  request: RequestHead | undefined;
  event: RequestEvent = 'More';
  /** What {@link request} was read from. */
  #requestHead = '';
  #lastResponse: ReadResponse | undefined;
  /** Admitted requests whose response is not complete, oldest first. Texts of their heads are not kept. */
  readonly #unanswered: Asked[] = [];
  #requests = new Http1Messages(REQUEST_START);
  #responses = new Http1Messages(RESPONSE_START);
  /** Start of a response head whose end has not come yet. */
  #partialResponse: Buffer = NO_BYTES;
  #isResponseBegun = false;
  #isTunnel = false;
  #hasGivenUp = false;
  #isClosing = false;
  #answered = 0;

  /** Text of the last request head, as {@link Http1Messages.head}. */
  get head(): string {
    return this.#requests.head;
  }

  /** Both directions carry another protocol now: an upgrade or CONNECT was agreed to. */
  get isTunnel(): boolean {
    return this.#isTunnel;
  }

  get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  /** Client or server has said that it will close after the current exchange, or the last one. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Requests that wait for the end of their response. */
  get unanswered(): number {
    return this.#unanswered.length;
  }

  /** Responses that were complete on this upstream. */
  get answered(): number {
    return this.#answered;
  }

  /** The newest admitted request is complete and may turn the connection into a tunnel: what follows is not known. */
  get awaitsTunnel(): boolean {
    return this.#requests.isBetweenMessages && (this.#unanswered.at(-1)?.asksTunnel ?? false);
  }

  /** Nothing is under way: every request is complete and answered. */
  get isIdle(): boolean {
    return this.#unanswered.length === 0 && this.#requests.isBetweenMessages;
  }

  /** Reads request bytes from `offset` to the next event. @returns the offset behind what was read */
  nextRequest(bytes: Buffer, offset: number): number {
    const end = this.#requests.advance(bytes, offset);
    this.event = this.#requests.event;
    if (this.event === 'Head') {
      this.#readRequestHead(this.#requests.head);
      if (!this.request || this.#unanswered.length >= MAX_UNANSWERED) this.event = 'Broken';
    }
    this.#hasGivenUp ||= this.event === 'Broken';
    return end;
  }

  /** The last head goes to the upstream now. */
  admit(request: RequestHead): void {
    const { method, asksTunnel } = request;
    this.#unanswered.push({ method, asksTunnel });
    this.#isClosing ||= request.isLast;
    this.#requests.begin(request.framing);
  }

  /** Another upstream takes over; requests that are admitted and not answered are expected to be answered by it. */
  replaceUpstream(): void {
    this.#responses = new Http1Messages(RESPONSE_START);
    this.#partialResponse = NO_BYTES;
    this.#isResponseBegun = false;
    this.#answered = 0;
  }

  /** Reads along with response bytes; keeps none of them. */
  readResponses(chunk: Buffer): void {
    const bytes = this.#partialResponse.length > 0 ? Buffer.concat([this.#partialResponse, chunk]) : chunk;
    this.#partialResponse = NO_BYTES;
    let offset = 0;
    // A body that ends with the bytes still has to be seen as ended, hence not `offset < bytes.length` alone.
    while (!this.#hasGivenUp && !this.#isTunnel && (offset < bytes.length || this.#isResponseBegun)) {
      offset = this.#responses.advance(bytes, offset);
      if (this.#responses.event === 'Head') this.#beginResponse();
      else if (this.#responses.event === 'End') this.#endResponse();
      else if (this.#responses.event === 'Broken') this.#hasGivenUp = true;
      else {
        this.#partialResponse = Buffer.from(bytes.subarray(offset));
        return;
      }
    }
  }

  /** A client that keeps its connection mostly sends the very same head again. */
  #readRequestHead(head: string): void {
    if (head === this.#requestHead) return;
    this.request = parseRequestHead(head);
    this.#requestHead = head;
  }

  /** A busy server repeats a head as well, within a second: what changes is the date. */
  #readResponseHead(head: string, { method, asksTunnel }: Asked): ResponseHead | undefined {
    const last = this.#lastResponse;
    if (last?.head === head && last.method === method && last.asksTunnel === asksTunnel) return last.response;
    const response = parseResponseHead(head, { method, asksTunnel });
    this.#lastResponse = { head, method, asksTunnel, response };
    return response;
  }

  #beginResponse(): void {
    const request = this.#unanswered[0];
    const response = request && this.#readResponseHead(this.#responses.head, request);
    if (!response) {
      this.#hasGivenUp = true;
      return;
    }
    if (response.framing === 'Tunnel') {
      this.#isTunnel = true;
      return;
    }
    if (response.status < 200) {
      this.#responses.skipBody();
      return;
    }
    this.#isClosing ||= response.isLast;
    this.#responses.begin(response.framing);
    this.#isResponseBegun = true;
  }

  #endResponse(): void {
    this.#unanswered.shift();
    this.#answered += 1;
    this.#isResponseBegun = false;
  }
}
