/**
 * Where the servers of a mesh bed listen. No other bed has its two addresses, so the ports are always the same:
 * `10.<number>.0.1` is what pods reach, `127.<number>.0.1` only this machine (istiod answers `/debug` to loopback alone).
 */
import type { Network } from '../../support/bed/network.ts';

/** At the bed's host address. */
export const API_SERVER_PORT = 6443;
/** istiod's xDS without TLS, at the bed's host address; not istiod's usual 15010, which is our controller's too. */
export const XDS_PORT = 16010;
/** istiod's xDS and certificate authority with TLS, at the bed's host address. */
export const SECURE_XDS_PORT = 16012;

/** At the loopback address. */
export const ETCD_PORT = 12379;
/** At the loopback address; nobody dials it. */
export const ETCD_PEER_PORT = 12380;
/** istiod's readiness, debug and validation, at the loopback address. */
export const ISTIOD_HTTP_PORT = 16080;
/** istiod's metrics, at the loopback address. */
export const ISTIOD_METRICS_PORT = 16014;

/** The address of a bed that only this machine reaches. */
export function loopbackAddress({ number }: Network): string {
  return `127.${number}.0.1`;
}
