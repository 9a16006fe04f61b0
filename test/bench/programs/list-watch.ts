/** The peer: `@kubernetes/client-node`'s own cache of Services, EndpointSlices and Pods. Tells when it has them all. */
import { CoreV1Api, DiscoveryV1Api, KubeConfig, makeInformer } from '@kubernetes/client-node';

export interface ListWatchReport {
  /** From the start of the process. */
  readonly syncedMs: number;
  readonly services: number;
  readonly endpoints: number;
  readonly pods: number;
}

const [file = ''] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(file);
const core = config.makeApiClient(CoreV1Api);
const discovery = config.makeApiClient(DiscoveryV1Api);
const services = makeInformer(config, '/api/v1/services', () => core.listServiceForAllNamespaces());
const pods = makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces());
const slices = makeInformer(config, '/apis/discovery.k8s.io/v1/endpointslices', () =>
  discovery.listEndpointSliceForAllNamespaces(),
);
for (const informer of [services, pods, slices])
  informer.on('error', (error) => process.send?.({ error: String(error) }));
await Promise.all([services, pods, slices].map((informer) => informer.start()));
const report: ListWatchReport = {
  syncedMs: performance.now(),
  services: services.list().length,
  endpoints: slices.list().reduce((sum, { endpoints }) => sum + (endpoints?.length ?? 0), 0),
  pods: pods.list().length,
};
process.send?.(report);
