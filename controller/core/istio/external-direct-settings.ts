/** What leaves from the pods themselves instead of from an egress. */
export interface ExternalDirectSettings {
  /** Ports on which connections to addresses outside the mesh do. */
  readonly ports: readonly number[];
  /** IPv4 CIDR blocks that hold the addresses of all Services, pods and nodes. */
  readonly meshRanges: readonly string[];
}
