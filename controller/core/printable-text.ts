/** Far more than any name of Kubernetes. */
const LONGEST = 200;

/**
 * Text from the network as one may print it: cut, and without characters that steer a terminal, break a line or turn
 * the direction of what follows.
 */
export function printableText(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
