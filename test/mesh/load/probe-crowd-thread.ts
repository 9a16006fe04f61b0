/** Runs in a thread of its own: hundreds of eager proxies, which make istiod's push queue long. */
import { parentPort, workerData } from 'node:worker_threads';
import { IstiodClient } from '../../support/ads/istiod-client.ts';

export interface CrowdOptions {
  readonly istiod: string;
  readonly size: number;
  readonly namespace: string;
  readonly routes: readonly string[];
}

/** Sent when all have their configuration, and then in answer to every message. */
export interface CrowdReport {
  /** Responses that all of them have got. */
  readonly responses: number;
}

/** istiod takes only so many new streams a second, and turns others away after a second. */
const AT_ONCE = 10;

const { size, ...options }: CrowdOptions = workerData;
const clients: IstiodClient[] = [];
const report = (): void => {
  const responses = clients.reduce((sum, { told }) => sum + told.length, 0);
  parentPort?.postMessage({ responses } satisfies CrowdReport);
};
while (clients.length < size) {
  const added = Array.from({ length: AT_ONCE }, (_, index) => {
    const number = clients.length + index;
    const address = `10.250.${Math.floor(number / 250)}.${(number % 250) + 1}`;
    return new IstiodClient({ ...options, name: `crowd-${number}`, app: 'crowd', address });
  });
  clients.push(...added);
  await Promise.all(added.map((client) => client.hears(({ type }) => type.endsWith('RouteConfiguration'))));
}
report();
parentPort?.on('message', report);
