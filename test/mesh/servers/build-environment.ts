/** Environment of what the mesh bed runs. */
import { join } from 'node:path';

const OWN_TOOLS = join(import.meta.dirname, '..', '..', '..', '.tools', 'bin');

/** PATH with what `scripts/setup.sh istio` has put into `.tools/bin` first: Go and etcd, where the system lacks them. */
export function toolsPath(): string {
  return `${OWN_TOOLS}:${process.env['PATH'] ?? ''}`;
}

/**
 * Go's settings of the user (`go env -w`, a workspace) could change what is built, except where it downloads from.
 * `LAZYSCOPE_BUILD_JOBS` bounds the cores that a build takes; default: all.
 */
export function buildEnvironment(): NodeJS.ProcessEnv {
  const jobs = process.env['LAZYSCOPE_BUILD_JOBS'];
  return {
    ...process.env,
    PATH: toolsPath(),
    CGO_ENABLED: '0',
    GOWORK: 'off',
    // Not a toolchain of Go's own choice: the pins name the least one, and a too old one says so.
    GOTOOLCHAIN: 'local',
    GOFLAGS: jobs === undefined ? '' : `-p=${jobs}`,
    ...(jobs === undefined ? {} : { GOMAXPROCS: jobs }),
  };
}
