import type { Dialler } from './dial.ts';
import type { IdentityView } from './identity-table.ts';
import type { Metrics } from './metrics.ts';
import type { Report } from './report.ts';
import type { RoutingContext } from './route.ts';

/** What all sessions share. */
export interface SessionContext {
  readonly mode: 'direct' | 'istio';
  readonly routing: RoutingContext;
  /** Whose address is whose now. */
  readonly identities: IdentityView;
  readonly dialler: Dialler;
  readonly report: Report;
  readonly metrics: Metrics;
  readonly bufferBytes: number;
}
