/** What a connection speaks, from its first bytes. */
import type { WireProtocol } from '../controller/core/model.ts';
import { parseClientHello } from './client-hello.ts';
import { REQUEST_LINE } from './http1-grammar.ts';
import { REQUEST_START } from './http1-head.ts';

/** RFC 9113 section 3.4. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Longest request line: a URL of 8 KiB is the usual limit of servers. */
const MAX_REQUEST_LINE_BYTES = 16 * 1024;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

export interface Sniffed {
  readonly protocol: WireProtocol;
  /** TLS server name. */
  readonly serverName?: string;
}

const TCP: Sniffed = { protocol: 'TCP' };
const TLS: Sniffed = { protocol: 'TLS' };
const HTTP1: Sniffed = { protocol: 'HTTP1' };
const HTTP2: Sniffed = { protocol: 'HTTP2' };

/**
 * Recognises the protocol, or `undefined` while the bytes could still become HTTP or TLS.
 * HTTP/1 is recognised by its whole request line, TLS by its whole ClientHello.
 */
export function sniff(bytes: Buffer): Sniffed | undefined {
  if (bytes.length === 0) return undefined;
  const hello = parseClientHello(bytes);
  if (hello.kind === 'Tls') return hello.serverName === undefined ? TLS : { ...TLS, serverName: hello.serverName };
  if (hello.kind === 'Incomplete') return undefined;
  const compared = Math.min(bytes.length, HTTP2_PREFACE.length);
  if (HTTP2_PREFACE.compare(bytes, 0, compared, 0, compared) === 0) {
    return bytes.length < HTTP2_PREFACE.length ? undefined : HTTP2;
  }
  return sniffHttp1(bytes);
}

function sniffHttp1(bytes: Buffer): Sniffed | undefined {
  const end = bytes.indexOf(LINE_FEED);
  if (end >= 0) return isRequestLine(bytes, end) ? HTTP1 : TCP;
  if (bytes.length > MAX_REQUEST_LINE_BYTES) return TCP;
  return REQUEST_START.test(bytes.toString('latin1', 0, 33)) ? undefined : TCP;
}

function isRequestLine(bytes: Buffer, lineFeed: number): boolean {
  return bytes[lineFeed - 1] === CARRIAGE_RETURN && REQUEST_LINE.test(bytes.toString('latin1', 0, lineFeed - 1));
}
