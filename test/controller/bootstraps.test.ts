import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { workloadBootstrap } from '../../controller/bootstraps.ts';
import type { ControllerConfig } from '../../controller/config.ts';
import type { ErrorCode } from '../../controller/core/error.ts';
import { LazyscopeError } from '../../controller/core/error.ts';
import type { ReadModel, WorkloadDetail } from '../../controller/core/report.ts';

const CART = 'shop/Deployment/cart';

const config: ControllerConfig = {
  source: 'files',
  path: 'mesh',
  mode: 'direct',
  grpcListen: { address: '0.0.0.0', port: 15010 },
  httpListen: { address: '127.0.0.1', port: 15014 },
  advertise: { address: '10.0.0.8', port: 15010 },
  egress: [{ address: '10.0.0.9', port: 15080 }],
  store: 'memory',
  storePath: '',
  clusterDomain: 'example.org',
  drainSeconds: 5,
  logLevel: 'info',
  namespace: 'lazyscope',
  istioNamespace: 'istio-system',
  istiodServerName: 'istiod.istio-system.svc',
  promotionDelay: 12,
  allowPlaintextHop: false,
  allowRelayPastPolicies: false,
  identity: 'controller-0',
};

/** A read model that knows the workload `cart` with these pods. */
function knowing(...pods: readonly (readonly [name: string, ...addresses: string[]])[]): ReadModel {
  const detail: WorkloadDetail = {
    workload: CART,
    mode: 'Enforce',
    modeSource: 'default',
    dependencies: 0,
    relayed: 0,
    clusters: { kept: 0, total: 0 },
    pods: pods.map(([name, ...addresses]) => ({ name, addresses })),
    proxies: [],
    edges: [],
  };
  const none = (): never => assert.fail('not asked for');
  return {
    mesh: none,
    workloads: none,
    edges: none,
    graph: none,
    workload: (key) => (key === CART ? detail : undefined),
  };
}

describe('the bootstrap of a workload', () => {
  it('is that of its only pod, with the addresses of the configuration', () => {
    const text = JSON.stringify(workloadBootstrap(knowing(['cart-0', '10.0.0.1']), config, CART, {}));
    assert.match(text, /"sidecar~10\.0\.0\.1~cart-0\.shop~shop\.svc\.example\.org"/);
    for (const part of ['"10.0.0.8"', '"10.0.0.9"', '15000']) assert.ok(text.includes(part), part);
  });

  it('prefers what the caller says', () => {
    const request = { controller: { address: 'c', port: 1 }, egress: [{ address: '10.9.9.9', port: 2 }], admin: 9901 };
    const text = JSON.stringify(workloadBootstrap(knowing(['cart-0', '10.0.0.1']), config, CART, request));
    for (const part of ['"c"', '"10.9.9.9"', '9901']) assert.ok(text.includes(part), part);
    assert.ok(!text.includes('"10.0.0.9"'));
  });

  const two = knowing(['cart-0', '10.0.0.1'], ['cart-1', '10.0.0.2']);
  const refusals: readonly (readonly [name: string, make: () => object, code: ErrorCode, message: RegExp])[] = [
    [
      'an unknown workload',
      () => workloadBootstrap(two, config, 'shop/Deployment/x', {}),
      'NotFound',
      /shop\/Deployment\/x/,
    ],
    ['an unknown pod', () => workloadBootstrap(two, config, CART, { pod: 'cart-9' }), 'NotFound', /cart-0, cart-1/],
    [
      'no choice among several pods',
      () => workloadBootstrap(two, config, CART, {}),
      'InvalidConfiguration',
      /--pod .*cart-0, cart-1/,
    ],
    [
      'a pod without address',
      () => workloadBootstrap(knowing(['cart-0']), config, CART, {}),
      'InvalidConfiguration',
      /podIPs/,
    ],
  ];
  for (const [name, make, code, message] of refusals) {
    it(`is refused for ${name}`, () => {
      assert.throws(
        make,
        (error) => error instanceof LazyscopeError && error.code === code && message.test(error.message),
      );
    });
  }
});
