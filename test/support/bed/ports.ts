/** Where the programs of a bed listen: their default ports. */

/** Access logs and delta ADS of the controller. */
export const CONTROLLER_GRPC_PORT = 15010;
/** API, health and metrics of the controller. */
export const CONTROLLER_HTTP_PORT = 15014;
/** Sidecars dial the egress here. */
export const EGRESS_PORT = 15080;
/** Health and metrics of the egress. */
export const EGRESS_HTTP_PORT = 15081;
