/** RFC 7541 Appendix A. */
import type { HeaderField } from './header-block.ts';

const NAMES_AND_VALUES = `
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

/** Its entries, the first of which has index 1. */
export const STATIC_TABLE: readonly HeaderField[] = NAMES_AND_VALUES.trim()
  .split('\n')
  .map((line) => {
    const [, name = '', value = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    return { name, value, isNeverIndexed: false };
  });

const textOf = (name: string, value: string): string => `${name} ${value}`;

const INDEX_BY_NAME = new Map<string, number>();
const INDEX_BY_TEXT = new Map<string, number>();
for (const [at, { name, value }] of STATIC_TABLE.entries()) {
  if (!INDEX_BY_NAME.has(name)) INDEX_BY_NAME.set(name, at + 1);
  if (value !== '') INDEX_BY_TEXT.set(textOf(name, value), at + 1);
}

/** Index of the first entry with this name; 0 where there is none. */
export function staticNameIndex(name: string): number {
  return INDEX_BY_NAME.get(name) ?? 0;
}

/** Index of the entry with this name and value, which is not empty; 0 where there is none. */
export function staticIndex({ name, value }: HeaderField): number {
  return INDEX_BY_TEXT.get(textOf(name, value)) ?? 0;
}
