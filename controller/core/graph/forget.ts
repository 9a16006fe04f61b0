import { LazyscopeError } from '../error.ts';
import { isHttp, type ServiceKey, type ServicePort } from '../model.ts';

/**
 * Whether a service may leave a scope without cutting anything. Requests on a declared HTTP port go through a listener
 * that stays; any other port has a listener of its own, whose removal drains its connections.
 * @throws LazyscopeError `InvalidConfiguration` that names the port
 */
export function assertForgettable(service: ServiceKey, ports: readonly ServicePort[], isIstioMode: boolean): void {
  if (!isIstioMode) {
    throw new LazyscopeError(
      'InvalidConfiguration',
      'In direct mode nothing is forgotten: start the controller with --mode istio.',
    );
  }
  const cutting = ports.find(({ protocol }) => !isHttp(protocol));
  if (!cutting) return;
  const { port, protocol } = cutting;
  const declared = protocol === 'Auto' ? 'declares no protocol' : `is declared ${protocol}`;
  const reason = `its port ${port} ${declared}, and leaving the scope would cut the connections open on it`;
  throw new LazyscopeError('InvalidConfiguration', `${service} stays in the scope: ${reason}.`);
}
