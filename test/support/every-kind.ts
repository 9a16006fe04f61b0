/**
 * One Kubernetes object of each kind that Istio mode reads besides Services, slices and Pods, as a user would apply it.
 * Without a Job: an API server without a garbage collector never lets go of one.
 */
import type { KubernetesObject } from './kubernetes-objects.ts';
import { serviceEntryObject } from './kubernetes-objects.ts';

const metadata = { name: 'cart', namespace: 'shop' };
const labels = { app: 'cart' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app' }] } };
const jobTemplate = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
const controlled = { selector: { matchLabels: labels }, template };

const object = (apiVersion: string, kind: string, spec: KubernetesObject): KubernetesObject => ({
  apiVersion,
  kind,
  metadata,
  spec,
});

/** All of them in namespace `shop`. */
export const OF_EVERY_KIND: readonly KubernetesObject[] = [
  serviceEntryObject('bank'),
  object('networking.istio.io/v1', 'VirtualService', {
    hosts: ['cart'],
    http: [{ route: [{ destination: { host: 'cart' } }] }],
  }),
  object('networking.istio.io/v1', 'DestinationRule', {
    host: 'cart',
    trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } },
  }),
  object('networking.istio.io/v1', 'Sidecar', { workloadSelector: { labels }, egress: [{ hosts: ['./*'] }] }),
  object('security.istio.io/v1', 'AuthorizationPolicy', {
    rules: [{ from: [{ source: { principals: ['cluster.local/ns/shop/sa/front'] } }] }],
  }),
  object('networking.k8s.io/v1', 'NetworkPolicy', { podSelector: { matchLabels: labels } }),
  object('apps/v1', 'Deployment', controlled),
  object('apps/v1', 'ReplicaSet', controlled),
  object('apps/v1', 'StatefulSet', { ...controlled, serviceName: 'cart' }),
  object('apps/v1', 'DaemonSet', controlled),
  object('batch/v1', 'CronJob', { schedule: '0 3 * * *', jobTemplate: { spec: { template: jobTemplate } } }),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: 'lazyscope-kill-switch' } },
];
