/**
 * The real servers of a mesh bed, and of which pinned Go modules they are built. A module's `go.mod` and `go.sum` here
 * are the pins:
 *
 * - kube-apiserver: `k8s.io/kubernetes` points its staging modules at folders of its own, which does not hold for who
 *   requires it; so `go.mod` replaces each of them by its release. https://github.com/kubernetes/kubernetes/issues/79384
 * - istio: `istio.io/istio` has no tags that Go understands, so it stands as a pseudo-version; `istio.io/api`,
 *   `istio.io/client-go` and `go-control-plane` stand as releases where its own `go.mod` names pseudo-versions.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ServerModule {
  /** Of its folder in the cache. */
  readonly name: string;
  /** Where its `go.mod` and `go.sum` are, and its source code if it has any of its own. */
  readonly folder: string;
  /** Commands to build; each becomes a file named by the last part of its path. */
  readonly packages: readonly string[];
  readonly tags: readonly string[];
  /** Values of Go variables, set by the linker. */
  readonly variables: Readonly<Record<string, string>>;
  /** Files that come along, of the module whose path is `of`. */
  readonly files: readonly { readonly of: string; readonly path: string }[];
}

const KUBERNETES = join(import.meta.dirname, 'kube-apiserver');

/** Clients read the server's version; without these it says v0.0.0. */
function versionVariables(goMod: string): Readonly<Record<string, string>> {
  const [, version = '', major = '', minor = ''] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(goMod) ?? [];
  const names = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.fromEntries(
    Object.entries(names).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]),
  );
}

export const kubeApiServer: ServerModule = {
  name: 'kube-apiserver',
  folder: KUBERNETES,
  packages: ['k8s.io/kubernetes/cmd/kube-apiserver'],
  tags: [],
  variables: versionVariables(readFileSync(join(KUBERNETES, 'go.mod'), 'utf8')),
  files: [],
};

export const istio: ServerModule = {
  name: 'istio',
  folder: join(import.meta.dirname, 'istio'),
  packages: ['istio.io/istio/pilot/cmd/pilot-discovery', 'istio.io/istio/pilot/cmd/pilot-agent'],
  // As Istio's own releases are built: Makefile.core.mk.
  tags: ['vtprotobuf', 'disable_pgv'],
  variables: {},
  files: [
    { of: 'istio.io/istio', path: 'manifests/charts/base/files/crd-all.gen.yaml' },
    { of: 'istio.io/istio', path: 'tools/packaging/common/envoy_bootstrap.json' },
  ],
};
