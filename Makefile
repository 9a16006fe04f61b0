# Every target sets up what it needs first (scripts/setup.sh): nothing but root, Python 3 with pip, and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.tools/node/bin:$(CURDIR)/node_modules/.bin:$(PATH):/usr/local/sbin:/usr/sbin:/sbin

# MODE=istio runs on real servers, which the first run builds; that takes minutes.
SET_UP_MODE := $(if $(filter istio,$(MODE)),scripts/setup.sh istio && node test/mesh/servers/main.ts,scripts/setup.sh mesh)

# Minor versions of Envoy that are supported.
VERSIONS ?= 1.36.4 1.37.0 1.38.3 1.39.3 1.40.0

.PHONY: help demo test test-mesh fuzz test-envoys check bench build golden clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

demo: ## a small shop on real Envoys becomes lazy (MODE=istio FILLER=300 KEEP=1 JSON=FILE)
	@$(SET_UP_MODE) && node demo/main.ts

test: ## every test, no skips (FILTER=part of a file's path)
	@scripts/setup.sh mesh && node scripts/test.ts $(FILTER)

test-mesh: ## tests on a real Kubernetes API server and istiod (FILTER=part of a file's path)
	@scripts/setup.sh istio && node test/mesh/servers/main.ts && node scripts/test.ts --mesh $(FILTER)

test-envoys: ## the tests of what sidecars and controller say to each other, with several Envoys (VERSIONS=1.36.4)
	@scripts/setup.sh mesh $(VERSIONS) && node scripts/test-envoys.ts $(VERSIONS)

fuzz: ## new hostile inputs for the egress's readers (FUZZ_RUNS=20000 FUZZ_SEED=number of a run that failed)
	@scripts/setup.sh && FUZZ_RUNS=$(or $(FUZZ_RUNS),20000) node --test 'test/fuzz/*.test.ts'

check: ## types, lint, format, import rules, dead code
	@scripts/setup.sh && tsc -p . && biome ci --error-on-warnings . && knip

bench: ## the goals, measured against their peers (MODE=istio JSON=FILE GOALS=G1,G4)
	@$(if $(filter istio,$(MODE)),$(SET_UP_MODE),scripts/setup.sh bench) && node test/bench/main.ts

build: ## dist/, the published form
	@scripts/setup.sh && node scripts/build.ts

golden: ## writes the golden files anew
	@scripts/setup.sh && node --test --test-update-snapshots 'test/**/golden.test.ts'

clean: ## removes what was built and downloaded
	rm -rf dist controller/wire/gen node_modules .tools
