/**
 * Heads of HTTP/1 messages (RFC 9112), as far as routing and message boundaries need them. Strict on purpose: what two
 * readers could understand differently is not understood at all, and the observer gives up.
 */
import { FIELD_LINE, REQUEST_LINE, TEXT_CHARACTER, TOKEN_CHARACTER } from './http1-grammar.ts';

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

/** What the reading of a response needs of its request. */
export type Asked = Pick<RequestHead, 'method' | 'asksTunnel'>;

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

const FIELD_LINES = new RegExp(`^(?:${FIELD_LINE}\\n)*$`);
/** Matches the first 33 bytes, or less, of what can become a request line. */
export const REQUEST_START = new RegExp(`^${TOKEN_CHARACTER}{0,32}( |$)`);
/** Matches the first bytes of what can become a status line. */
export const RESPONSE_START = /^(HTTP\/1\.|(HTTP\/1|HTTP\/|HTTP|HTT|HT|H|)$)/;

const STATUS_LINE = new RegExp(`^HTTP/1\\.([01]) ([1-9]\\d\\d)(?: ${TEXT_CHARACTER}*)?$`);
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\//i;
/** What RFC 3986 section 3.2.2 allows in a host, an address in brackets and a port included. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;
/** That with a user before it: RFC 3986 section 3.2.1. */
const AUTHORITY = /^[^/?#]*:\/\/(?:[\w.~!$&'()*+,;=%:-]*@)?([\w.~!$&'()*+,;=%:[\]-]+)(?:[/?#]|$)/;
const TRANSFER_CODINGS = new RegExp(`^${TOKEN_CHARACTER}+(?:[ \\t]*,[ \\t]*${TOKEN_CHARACTER}+)*$`);
const FIELD_NAME_END = ':';

/** @param text the head in latin1, up to and including the line break of its last line */
export function parseRequestHead(text: string): RequestHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const line = REQUEST_LINE.exec(text.slice(0, lineEnd));
  const fields = line ? readFields(text, lineEnd + 2) : undefined;
  const [, method, target, minor] = line ?? [];
  if (!fields || method === undefined || target === undefined) return undefined;
  const host = requestHost(method, target, fields.host);
  const framing = requestFraming(fields, minor === '0');
  if (framing === undefined || host === undefined) return undefined;
  // Whether CONNECT can have a body is not agreed on: RFC 9110 section 9.3.6.
  if (method === 'CONNECT' && framing !== 0) return undefined;
  return {
    method,
    host,
    framing,
    isLast: isLast(fields, minor === '0'),
    asksTunnel: method === 'CONNECT' || fields.upgrade,
  };
}

/**
 * A target in absolute form, or that of CONNECT, overrules Host: RFC 9112 sections 3.2.2 and 3.2.3.
 * @returns `undefined` where the name could be read in several ways
 */
function requestHost(method: string, target: string, host: string | undefined): string | undefined {
  if (method === 'CONNECT') return HOST.test(target) ? target : undefined;
  if (target.charCodeAt(0) === 0x2f) return host ?? '';
  return ABSOLUTE_FORM.test(target) ? AUTHORITY.exec(target)?.[1] : (host ?? '');
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
export function parseResponseHead(text: string, request: Asked): ResponseHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(text.slice(0, lineEnd));
  const fields = line ? readFields(text, lineEnd + 2) : undefined;
  if (!line || !fields) return undefined;
  // HTTP/1.0 has no transfer codings: RFC 9112 section 6.1.
  if (fields.coding !== undefined && line[1] === '0') return undefined;
  const status = Number(line[2]);
  const framing = responseFraming(status, fields, request);
  if (framing === undefined) return undefined;
  return { status, framing, isLast: framing === 'UntilClose' || isLast(fields, line[1] === '0') };
}

/** RFC 9112 section 6.3. */
function responseFraming(status: number, fields: Fields, request: Asked): Framing | undefined {
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
  if (!FIELD_LINES.test(text.slice(start))) return undefined;
  let at = start;
  while (at < text.length) {
    const end = text.indexOf('\r', at);
    if (!readField(fields, text, at, end)) return undefined;
    at = end + 2;
  }
  return fields;
}

/** @returns false where the line cannot be accepted; fields that do not matter here are not looked at */
function readField(fields: Fields, text: string, start: number, end: number): boolean {
  const colon = text.indexOf(FIELD_NAME_END, start);
  switch (colon - start) {
    case 4:
    case 10:
    case 14:
    case 17:
      return setField(fields, text.slice(start, colon).toLowerCase(), trimmed(text, colon + 1, end));
    default:
      return true;
  }
}

/** Without the blanks of RFC 9110 section 5.6.3. `trim` knows more of them: to other readers those belong to the value. */
function trimmed(text: string, start: number, end: number): string {
  let [from, to] = [start, end];
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function setField(fields: Fields, name: string, value: string): boolean {
  switch (name) {
    case 'host':
      if (fields.host !== undefined || !HOST.test(value)) return false;
      fields.host = value;
      return true;
    case 'connection':
      readConnection(fields, value.toLowerCase());
      return true;
    case 'content-length':
      return setContentLength(fields, value);
    case 'transfer-encoding':
      return setCoding(fields, value.toLowerCase());
    default:
      return true;
  }
}

/** Chunked is the last coding, and is applied once: RFC 9112 section 7.1. */
function setCoding(fields: Fields, codings: string): boolean {
  if (fields.coding === 'chunked' || !TRANSFER_CODINGS.test(codings)) return false;
  const names = codings.split(/[ \t]*,[ \t]*/);
  const chunked = names.indexOf('chunked');
  fields.coding = chunked < 0 ? 'other' : 'chunked';
  return chunked < 0 || chunked === names.length - 1;
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
