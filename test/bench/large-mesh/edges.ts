/** Who uses what in a large mesh. */
import { SERVICES_PER_WORKLOAD } from './objects.ts';

/** Prime to the number of services, and far enough that dependencies lie in other namespaces. */
const STRIDE = 197;
const MOST = 50;

/** Numbers of the services that a workload uses, none of them twice and none its own. */
export function dependenciesOf(workload: number, services: number): readonly number[] {
  const first = (workload + 1) * SERVICES_PER_WORKLOAD;
  return Array.from({ length: MOST }, (_, index) => (first + index * STRIDE) % services);
}
