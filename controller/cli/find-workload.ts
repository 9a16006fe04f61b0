/** Finds the one workload that a name on the command line means. */
import { InvalidArgumentError } from 'commander';
import { LazyscopeError } from '../core/error.ts';
import type { WorkloadReport } from '../core/report.ts';
import type { ControllerClient } from './controller-client.ts';
import { matchWorkloads, type WorkloadMatch, type WorkloadName } from './workload-name.ts';

/**
 * Asks the controller for its workloads and picks.
 * @throws LazyscopeError `NotFound` with names that come close; a name that means several workloads is a usage error.
 */
export async function findWorkload(
  client: ControllerClient,
  name: WorkloadName,
  namespace?: string,
): Promise<WorkloadMatch> {
  const { items } = await client.get('WorkloadList', 'workloads');
  const [found, ...others] = matchWorkloads(name, items, namespace);
  if (found === undefined) throw notFound(name, items, namespace);
  if (others.length === 0) return found;
  const keys = [found, ...others].map(({ report }) => report.workload);
  throw new InvalidArgumentError(
    `"${name.text}" may be ${keys.join(' or ')}. Name one of them in full, or its namespace with -n.`,
  );
}

function notFound(name: WorkloadName, reports: readonly WorkloadReport[], namespace?: string): LazyscopeError {
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
  return new LazyscopeError('NotFound', `No workload "${name.text}"${where} is known. ${advice(name, reports)}`);
}

/** The same name elsewhere or of another kind is what people usually meant. */
function advice(name: WorkloadName, reports: readonly WorkloadReport[]): string {
  if (reports.length === 0) return 'The controller knows no workload at all; "lazyscope status" says why.';
  const bare = { text: name.text, readings: name.readings.map((reading) => ({ name: reading.name })) };
  const close = matchWorkloads(bare, reports).map(({ report }) => report.workload);
  return close.length > 0 ? `Did you mean ${close.join(' or ')}?` : '"lazyscope status -o json" lists all workloads.';
}
