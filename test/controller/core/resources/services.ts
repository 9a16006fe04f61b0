/** The services that the tests of resources and snapshots speak of. */
import type { PortProtocol, Service } from '../../../../controller/core/model.ts';

/** A Service with one address; name `<name>.<namespace>`, ports as `[port, protocol]`. */
export function service(
  name: string,
  ports: readonly (readonly [port: number, protocol: PortProtocol])[],
  rest: Partial<Service> = {},
): Service {
  const [short = name, namespace = 'shop'] = name.split('.');
  return {
    kind: 'Service',
    namespace,
    name: short,
    host: `${short}.${namespace}.svc.cluster.local`,
    clusterIPs: rest.headless ? [] : ['10.96.0.1'],
    headless: false,
    ports: ports.map(([port, protocol]) => ({ name: `p${port}`, port, protocol })),
    ...rest,
  };
}

/** The first port of a service. */
export function firstPort({ ports }: Service) {
  const [port] = ports;
  if (!port) throw new TypeError('the service has no port');
  return port;
}

export const web = service('web.shop', [[8080, 'HTTP']], { clusterIPs: ['10.96.0.10', 'fd00::10'] });
export const ledger = service('ledger.bank', [[8080, 'GRPC']], { clusterIPs: ['10.96.0.11'] });
export const banner = service('banner.shop', [[8080, 'TCP']], { clusterIPs: ['10.96.0.20', 'fd00::20'] });
export const database = service('database.shop', [[5432, 'TCP']], { clusterIPs: ['10.96.0.21'] });
export const search = service('search.shop', [[8080, 'HTTP']], { headless: true });
export const queue = service('queue.shop', [[5672, 'TCP']], { headless: true });

export const egress = [{ address: '10.0.0.1', port: 15080 }];

export const shopClient = { namespace: 'shop', namespaces: new Set(['shop', 'bank']) };
