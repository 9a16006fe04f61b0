/** What controller and egress share of the routing table; the core, which fills it in, imports nothing outside itself. */
export type { RelayTarget } from '../core/relay-target.ts';
export { METADATA_NAMESPACE } from '../core/relay-target.ts';
