import type { Http1Observer } from '../../../egress/http1-observer.ts';
import type { ReferenceMessage } from './llhttp.ts';

/** What requests are made of, and what has led readers astray. */
export const HTTP1_WORDS: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '\r\n\r\n',
  '\n\n',
  ' ',
  '\t',
  '\x0b',
  '\xa0',
  ':',
  ',',
  ';',
  'GET / HTTP/1.1\r\nHost: b\r\n\r\n',
  'POST / HTTP/1.1\r\n',
  'CONNECT c:1 HTTP/1.1\r\n',
  'GET http://c/ HTTP/1.1\r\n',
  ' HTTP/1.0',
  'Host: c\r\n',
  'host:c\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length: +5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding : chunked\r\n',
  'Transfer-Encoding: chunked\r\n , gzip\r\n',
  'chunked',
  'Connection: close\r\n',
  'Connection: upgrade\r\nUpgrade: x\r\n',
  'Connection: upgrade\r\n',
  'Expect: 100-continue\r\n',
  ' folded\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  '5;a=b\r\nhello\r\n',
  'fffffffffffffffff\r\n',
  '-1\r\n',
];

interface ObservedRequest {
  readonly method: string;
  readonly host: string;
  readonly headEnd: number;
  end?: number;
}

export interface ObservedRequests {
  readonly requests: readonly ObservedRequest[];
  readonly hasGivenUp: boolean;
  readonly awaitsTunnel: boolean;
  /** Most bytes that were handed back and had to be brought again. */
  readonly held: number;
}

/** Brings these bytes to an observer as its owner does, up to where another protocol may begin. */
export function observeRequests(observer: Http1Observer, pieces: readonly Buffer[]): ObservedRequests {
  const requests: ObservedRequest[] = [];
  let unread = Buffer.alloc(0);
  let offset = 0;
  let held = 0;
  for (const piece of pieces) {
    const bytes = Buffer.concat([unread, piece]);
    const read = readOn(observer, bytes, offset, requests);
    if (observer.hasGivenUp || observer.awaitsTunnel) break;
    unread = bytes.subarray(read);
    held = Math.max(held, unread.length);
    offset += read;
  }
  return { requests, hasGivenUp: observer.hasGivenUp, awaitsTunnel: observer.awaitsTunnel, held };
}

/** @param offset of `bytes` in the whole. @returns how many of them were read */
function readOn(observer: Http1Observer, bytes: Buffer, offset: number, requests: ObservedRequest[]): number {
  let at = 0;
  do {
    const before = at;
    at = observer.nextRequest(bytes, at);
    if (at < before || at > bytes.length) throw new Error(`read from ${before} to ${at} of ${bytes.length} bytes`);
    const { event, request } = observer;
    const last = requests.at(-1);
    if (event === 'End' && last) last.end = offset + at;
    if (event !== 'Head' || !request) continue;
    requests.push({ method: request.method, host: request.host, headEnd: offset + at });
    observer.admit(request);
  } while (observer.event === 'Head' || (observer.event === 'End' && !observer.awaitsTunnel));
  return at;
}

/** Whom a request names, by RFC 9112 section 3.3. */
export function referenceHost({ method, target, fields }: ReferenceMessage): string {
  if (method === 'CONNECT') return target;
  const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.exec(target)?.[0];
  if (absolute === undefined) return fields.find(([name]) => name === 'host')?.[1] ?? '';
  const authority = target.slice(absolute.length).split(/[/?#]/)[0] ?? '';
  return authority.slice(authority.lastIndexOf('@') + 1);
}
