/**
 * Heads of HTTP/1 messages (RFC 9112), as far as routing and message boundaries need them. Strict on purpose: what two
 * readers could understand differently is not understood at all, and the observer gives up.
 */

/** How the body of a message ends: a number of bytes, or one of these. */
export type Framing = number | 'Chunked' | 'UntilClose' | 'Tunnel';

export interface RequestHead {
  readonly method: string;
  /** Host as the client named it, port included where it was sent; empty where there is none. */
  readonly host: string;
  readonly framing: Framing;
  /** The client does not expect the connection to be used again. */
  readonly isLast: boolean;
  /** What follows the request is another protocol, if the server agrees. */
  readonly asksTunnel: boolean;
}

export interface ResponseHead {
  readonly status: number;
  readonly framing: Framing;
  /** The server will close the connection after it. */
  readonly isLast: boolean;
}

interface Fields {
  host: string | undefined;
  contentLength: number | undefined;
  /** Last transfer coding is `chunked`, or there are only others. */
  coding: 'chunked' | 'other' | undefined;
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
}

/** Matches the first 33 bytes, or less, of what can become a request line. */
export const REQUEST_START = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{0,32}( |$)/;
/** Matches the first bytes of what can become a status line. */
export const RESPONSE_START = /^(HTTP\/1\.|(HTTP\/1|HTTP\/|HTTP|HTT|HT|H|)$)/;

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([^\s]+) HTTP\/1\.([01])$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
const AUTHORITY_OF_ABSOLUTE_FORM = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]+)/i;
const FIELD_NAME_END = ':';

/** @param text the head in latin1, up to and including the line break of its last line */
export function parseRequestHead(text: string): RequestHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const line = REQUEST_LINE.exec(text.slice(0, lineEnd));
  const fields = line ? readFields(text, lineEnd + 2) : undefined;
  const [, method, target, minor] = line ?? [];
  if (!fields || method === undefined || target === undefined) return undefined;
  const framing = requestFraming(fields, minor === '0');
  if (framing === undefined) return undefined;
  return {
    method,
    host: requestHost(method, target, fields.host),
    framing: method === 'CONNECT' ? 0 : framing,
    isLast: isLast(fields, minor === '0'),
    asksTunnel: method === 'CONNECT' || fields.upgrade,
  };
}

/** The target of an absolute-form request overrules Host: RFC 9112 section 3.2.2. */
function requestHost(method: string, target: string, host: string | undefined): string {
  if (target.charCodeAt(0) === 0x2f) return host ?? '';
  return AUTHORITY_OF_ABSOLUTE_FORM.exec(target)?.[1] ?? host ?? (method === 'CONNECT' ? target : '');
}

function requestFraming(fields: Fields, isHttp10: boolean): Framing | undefined {
  if (fields.coding === undefined) return fields.contentLength ?? 0;
  // Both lengths, a coding that does not end in chunked, or a coding in HTTP/1.0: request smuggling starts here.
  return fields.coding === 'other' || fields.contentLength !== undefined || isHttp10 ? undefined : 'Chunked';
}

/**
 * @param text the head in latin1, up to and including the line break of its last line
 * @param request what it answers
 */
export function parseResponseHead(text: string, request: RequestHead): ResponseHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(text.slice(0, lineEnd));
  const fields = line ? readFields(text, lineEnd + 2) : undefined;
  if (!line || !fields) return undefined;
  const status = Number(line[2]);
  const framing = responseFraming(status, fields, request);
  if (framing === undefined) return undefined;
  return { status, framing, isLast: framing === 'UntilClose' || isLast(fields, line[1] === '0') };
}

/** RFC 9112 section 6.3. */
function responseFraming(status: number, fields: Fields, request: RequestHead): Framing | undefined {
  if (status === 101) return request.asksTunnel ? 'Tunnel' : undefined;
  if (status < 200) return 0;
  if (request.method === 'CONNECT' && status < 300) return 'Tunnel';
  if (request.method === 'HEAD' || status === 204 || status === 304) return 0;
  if (fields.coding !== undefined && fields.contentLength !== undefined) return undefined;
  if (fields.coding === 'chunked') return 'Chunked';
  if (fields.coding === 'other') return 'UntilClose';
  return fields.contentLength ?? 'UntilClose';
}

function isLast(fields: Fields, isHttp10: boolean): boolean {
  return fields.close || (isHttp10 && !fields.keepAlive);
}

/** @returns `undefined` where a line is no field line or two fields contradict each other */
function readFields(text: string, start: number): Fields | undefined {
  const fields: Fields = {
    host: undefined,
    contentLength: undefined,
    coding: undefined,
    close: false,
    keepAlive: false,
    upgrade: false,
  };
  let at = start;
  while (at < text.length) {
    // Line by line at LF, so that a bare one (a line break to lenient servers) is seen.
    const end = text.indexOf('\n', at);
    if (end <= at || text.charCodeAt(end - 1) !== 13) return undefined;
    if (!readField(fields, text, at, end - 1)) return undefined;
    at = end + 1;
  }
  return fields;
}

/** @returns false where the line cannot be accepted; fields that do not matter here are not looked at */
function readField(fields: Fields, text: string, start: number, end: number): boolean {
  const colon = text.indexOf(FIELD_NAME_END, start);
  if (colon <= start || colon >= end) return false;
  const beforeColon = text.charCodeAt(colon - 1);
  const first = text.charCodeAt(start);
  // Folded lines and blanks before the colon: RFC 9112 sections 5.1 and 5.2.
  if (first === 32 || first === 9 || beforeColon === 32 || beforeColon === 9) return false;
  switch (colon - start) {
    case 4:
    case 10:
    case 14:
    case 17:
      return setField(fields, text.slice(start, colon).toLowerCase(), text.slice(colon + 1, end).trim());
    default:
      return true;
  }
}

function setField(fields: Fields, name: string, value: string): boolean {
  switch (name) {
    case 'host':
      if (fields.host !== undefined && fields.host !== value) return false;
      fields.host = value;
      return true;
    case 'connection':
      readConnection(fields, value.toLowerCase());
      return true;
    case 'content-length':
      return setContentLength(fields, value);
    case 'transfer-encoding':
      fields.coding = /(^|[\s,])chunked$/i.test(value) ? 'chunked' : 'other';
      return true;
    default:
      return true;
  }
}

function readConnection(fields: Fields, options: string): void {
  if (options === 'keep-alive') {
    fields.keepAlive = true;
    return;
  }
  for (const option of options.split(',')) {
    const name = option.trim();
    if (name === 'close') fields.close = true;
    else if (name === 'keep-alive') fields.keepAlive = true;
    else if (name === 'upgrade') fields.upgrade = true;
  }
}

function setContentLength(fields: Fields, value: string): boolean {
  if (!/^\d{1,15}$/.test(value)) return false;
  const length = Number(value);
  if (fields.contentLength !== undefined && fields.contentLength !== length) return false;
  fields.contentLength = length;
  return true;
}
