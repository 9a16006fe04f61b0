import type { RequestHead } from './http1-head.ts';
import type { Complete } from './name-completion.ts';

/** Same line breaks as the parser. */
const HOST_FIELD = /(\r\nhost:[ \t]*)([^\s]+)(?=[ \t]*\r\n)/gi;
const ABSOLUTE_TARGET = /^(\S+ https?:\/\/)([^/?#@\s]+)(?=[/?#\s])/i;

/**
 * The head with its names completed, or `undefined` where it stays as it is. Of a target in absolute form the name is
 * completed as well as that in Host, which Envoy drops for it.
 * @param text the head in latin1, up to and including the line break of its last line
 */
export function completedHead(text: string, { method, host }: RequestHead, complete: Complete): string | undefined {
  // The name after CONNECT is for a proxy behind us: no service is called by it.
  if (method === 'CONNECT' || complete(host) === undefined) return undefined;
  const inPlace = (_: string, before: string, name: string): string => before + (complete(name) ?? name);
  const lineEnd = text.indexOf('\r\n');
  const line = text.slice(0, lineEnd);
  const isOriginForm = /^\S+ [/*]/.test(line);
  if (!isOriginForm && !ABSOLUTE_TARGET.test(line)) return undefined;
  return line.replace(ABSOLUTE_TARGET, inPlace) + text.slice(lineEnd).replace(HOST_FIELD, inPlace);
}
