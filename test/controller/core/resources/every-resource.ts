/** One of every kind of resource that we publish: what the golden files show and what Envoy has to accept. */

import { bootstrap } from '../../../../controller/core/resources/bootstrap.ts';
import { egressCluster, relayedCluster, serviceCluster } from '../../../../controller/core/resources/cluster.ts';
import { loadAssignment } from '../../../../controller/core/resources/endpoint.ts';
import { httpListener, tcpListener } from '../../../../controller/core/resources/listener.ts';
import type { Message } from '../../../../controller/core/resources/message.ts';
import { clusterName } from '../../../../controller/core/resources/names.ts';
import { relayCluster } from '../../../../controller/core/resources/relay.ts';
import { banner, database, egress, firstPort, ledger, search, shopClient, web } from './services.ts';
import { wholeRoutes } from './whole-routes.ts';

const cluster = (of: typeof web): string => clusterName(of.host, firstPort(of));

export const clusters: Readonly<Record<string, Message>> = {
  'cluster-http': serviceCluster(web, firstPort(web)),
  'cluster-tcp': serviceCluster(database, firstPort(database)),
  'cluster-headless': serviceCluster(search, firstPort(search)),
  'cluster-relayed': relayedCluster(banner, firstPort(banner), egress),
  'cluster-egress-by-name': egressCluster([{ address: 'egress.lazyscope', port: 15080 }]),
  'table-tcp': relayCluster(database, firstPort(database)),
  'table-headless': relayCluster(search, firstPort(search)),
};

export const assignments: Readonly<Record<string, Message>> = {
  assignment: loadAssignment(cluster(web), [
    { address: '10.0.0.12', port: 8080, ready: true },
    { address: 'fd00::5', port: 8080, ready: true },
    { address: '10.0.0.11', port: 8080, ready: true },
    { address: '10.0.0.13', port: 8080, ready: false },
  ]),
  'assignment-empty': loadAssignment(cluster(web), [{ address: '10.0.0.13', port: 8080, ready: false }]),
};

export const listeners: Readonly<Record<string, Message>> = {
  'listener-http': httpListener(8080),
  'listener-tcp': tcpListener('10.96.0.21', 5432, cluster(database)),
  'listener-tcp-ipv6': tcpListener('fd00::20', 8080, cluster(banner)),
};

export const routes: Readonly<Record<string, Message>> = {
  routes: wholeRoutes(8080, [web, search, ledger], shopClient),
  'routes-nothing-learned': wholeRoutes(8080, [], shopClient),
};

export const bootstraps: Readonly<Record<string, Message>> = {
  bootstrap: bootstrap({
    node: {
      id: 'sidecar~10.0.1.5~cart-0.shop~shop.svc.cluster.local',
      kind: 'sidecar',
      address: '10.0.1.5',
      pod: 'cart-0',
      namespace: 'shop',
      domain: 'shop.svc.cluster.local',
    },
    workload: 'cart',
    controller: { address: 'lazyscope-controller.lazyscope', port: 15010 },
    egress,
    admin: { address: '127.0.0.1', port: 15000 },
  }),
};
