import { LazyscopeError } from '../controller/core/error.ts';

/** How Lazyscope reaches the sidecars: by xDS of its own, or by what it writes for istiod. */
export type DemoMode = 'direct' | 'istio';

export interface DemoSettings {
  /** `MODE`. */
  readonly mode: DemoMode;
  /** `FILLER`: services that nobody uses. */
  readonly fillers: number;
  /** `KEEP=1`: leave everything running. */
  readonly keep: boolean;
  /** `JSON=FILE`: where the figures go. */
  readonly jsonFile: string | undefined;
}

const DEFAULT_FILLERS = 300;
/** What a /16 has room for beside the pods. */
const MOST_FILLERS = 30_000;

export function readSettings(environment: Readonly<Record<string, string | undefined>>): DemoSettings {
  const fillers = Number(environment['FILLER'] || DEFAULT_FILLERS);
  if (!Number.isInteger(fillers) || fillers < 0 || fillers > MOST_FILLERS) {
    throw new LazyscopeError('InvalidConfiguration', `FILLER must be a whole number from 0 to ${MOST_FILLERS}.`);
  }
  const mode = environment['MODE'] || 'direct';
  if (mode !== 'direct' && mode !== 'istio') {
    throw new LazyscopeError('InvalidConfiguration', `MODE must be direct or istio, not ${mode}.`);
  }
  return { mode, fillers, keep: environment['KEEP'] === '1', jsonFile: environment['JSON'] || undefined };
}
