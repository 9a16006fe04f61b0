import type { NodeIdentity } from '../../../controller/core/model.ts';

/** A sidecar, for tests to which it does not matter whose. */
export const CART_NODE: NodeIdentity = {
  id: 'sidecar~10.0.0.1~cart-0.shop~shop.svc.cluster.local',
  kind: 'sidecar',
  address: '10.0.0.1',
  pod: 'cart-0',
  namespace: 'shop',
  domain: 'shop.svc.cluster.local',
};
