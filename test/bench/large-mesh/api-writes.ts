import { httpsRequest } from '../../mesh/bed/https-request.ts';
import type { KubernetesAccess } from '../../mesh/bed/kubernetes-client.ts';
import { metricSum } from '../../support/bed/metric-sum.ts';

const WRITE_VERBS = ['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION'];
/** Of the API server itself, too, and as many a minute whatever anybody learns. Reviews are questions, no writes. */
const TIMED = ['leases', 'tokenreviews', 'subjectaccessreviews', 'selfsubjectaccessreviews'];

/** Writes that an API server has answered since its start, by resource. */
export async function apiWrites({
  server,
  certificateAuthority,
  token,
}: KubernetesAccess): Promise<Map<string, number>> {
  const { Agent } = await import('node:https');
  const agent = new Agent({ ca: certificateAuthority });
  const { body } = await httpsRequest({
    method: 'GET',
    url: `${server}/metrics`,
    headers: { authorization: `Bearer ${token}` },
    agent,
  });
  agent.destroy();
  const lines = body.split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  const writes = new Map<string, number>();
  for (const resource of new Set(lines.map((line) => labelOf(line, 'resource')))) {
    if (TIMED.includes(resource)) continue;
    const own = lines.filter((line) => labelOf(line, 'resource') === resource);
    const count = WRITE_VERBS.reduce(
      (sum, verb) => sum + metricSum(own.join('\n'), 'apiserver_request_total', `verb="${verb}"`),
      0,
    );
    if (count > 0) writes.set(resource, count);
  }
  return writes;
}

/** What was written between two looks, by resource. */
export function writesBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  const grown = [...after].map(([resource, count]) => [resource, count - (before.get(resource) ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

function labelOf(line: string, name: string): string {
  return new RegExp(`${name}="([^"]*)"`).exec(line)?.[1] ?? '';
}
