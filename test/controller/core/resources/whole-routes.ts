import type { Service } from '../../../../controller/core/model.ts';
import { distinctlyNamed, type RouteClient } from '../../../../controller/core/resources/domains.ts';
import type { Message } from '../../../../controller/core/resources/message.ts';
import { routeClosing, routeOpening, virtualHost } from '../../../../controller/core/resources/route.ts';

/** A route configuration as one message, which production code never makes: the lists of its parts, one after the other. */
export function wholeRoutes(port: number, services: readonly Service[], client: RouteClient): Message {
  const named = distinctlyNamed(services, client);
  const { virtual_hosts: last, ...settings } = routeClosing();
  const hosts = named.flatMap(({ service, names }) => hostsOf(virtualHost(service, port, names)['virtual_hosts']));
  return { ...routeOpening(port), ...settings, virtual_hosts: [...hosts, ...hostsOf(last)] };
}

function hostsOf(list: unknown): readonly Message[] {
  return list as readonly Message[];
}
