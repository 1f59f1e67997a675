# `make` alone lists all targets. The demo takes PORT, DATA, ONCE, CLUSTER (simulated, control-plane, node or
# kubeconfig), ENGINE and PLATFORM, e.g. `make demo PORT=9000 ONCE=1`; with CLUSTER=node ENGINE=medusa it runs a real
# MedusaJS, and with CLUSTER=node PLATFORM=chart the platform in the cluster, too.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
RUN := exec .venv/bin/python

# If the developers' environment exists, the demo uses it: installing the runtime's lock would downgrade it.
ENVIRONMENT := $(if $(wildcard .venv/.dev),.venv/.dev,.venv/.runtime)
DEMO_OPTIONS := $(if $(SPEED),--speed '$(SPEED)') $(if $(PORT),--port '$(PORT)') $(if $(DATA),--data '$(DATA)') \
	$(if $(CLUSTER),--cluster '$(CLUSTER)') $(if $(ENGINE),--engine '$(ENGINE)') $(if $(PLATFORM),--platform '$(PLATFORM)') $(if $(WOOCOMMERCE_ZIP),--woocommerce-zip '$(WOOCOMMERCE_ZIP)') $(if $(filter-out 0 no false,$(ONCE)),--once)
CLUSTER_OPTIONS := --state '$(or $(DATA),.storefleet)/kubernetes' $(if $(LEVEL),--level '$(LEVEL)')
IMAGE_OPTIONS := $(IMAGES) $(if $(BASES),--bases '$(BASES)') $(if $(filter-out 0 no false,$(ARCHIVES)),--archives) \
	$(if $(WOOCOMMERCE_ZIP),--file 'WOOCOMMERCE_ZIP=$(WOOCOMMERCE_ZIP)') \
	$(if $(LANGUAGES),--argument 'LANGUAGES=$(LANGUAGES)')
NODE_PACKAGES := runc containernetworking-plugins iptables nftables conntrack iproute2 util-linux e2fsprogs \
	mmdebstrap buildah
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" --quiet

.PHONY: help
help:
	@if [ -t 1 ] && [ -z "$${NO_COLOR:-}" ]; then bold=$$(printf '\033[1m') blue=$$(printf '\033[36m') off=$$(printf '\033[0m'); fi; \
	awk -v bold="$$bold" -v blue="$$blue" -v off="$$off" ' \
		/^##@ / { printf "\n%s%s%s\n", bold, substr($$0, 5), off } \
		/^[a-z0-9-]+:.*## / { split($$0, part, /:.*## /); printf "  %s%-16s%s %s\n", blue, part[1], off, part[2] } \
	' Makefile; echo

##@ See it run
.PHONY: demo
demo: $(ENVIRONMENT) ## run everything on this machine, and create a store (PORT=8000 DATA=.storefleet ONCE=1 CLUSTER=… ENGINE=…)
	@$(RUN) -m cli demo $(DEMO_OPTIONS)

.PHONY: kind k3d minikube
kind: ## install the chart into a cluster of kind on this machine (Docker, kind, helm, kubectl)
	@exec charts/try kind

k3d: ## the same with k3d
	@exec charts/try k3d

minikube: ## the same with Minikube
	@exec charts/try minikube

.PHONY: cluster-up
cluster-up: $(ENVIRONMENT) ## start a real Kubernetes on this machine (DATA=.storefleet LEVEL=control-plane or node)
	@$(RUN) -m sandbox.kubernetes up $(CLUSTER_OPTIONS)

.PHONY: cluster-down
cluster-down: $(ENVIRONMENT) ## stop it, and remove its data
	@$(RUN) -m sandbox.kubernetes down $(CLUSTER_OPTIONS)

.PHONY: dashboard
dashboard: $(ENVIRONMENT) ## build the dashboard, with the machine's Node.js or one that is installed into .venv
	@$(RUN) -m sandbox.dashboard

.PHONY: dashboard-dev
dashboard-dev: dashboard ## the dashboard with hot reload, against an API at PORT=8000
	@cd frontend && STOREFLEET_API=http://127.0.0.1:$(or $(PORT),8000) npm run dev

.PHONY: images
images: $(ENVIRONMENT) ## build the images of stores and of the platform (IMAGES="mariadb pause" BASES=debian ARCHIVES=1 WOOCOMMERCE_ZIP=… LANGUAGES="de_DE ar")
	@$(RUN) -m sandbox.images $(IMAGE_OPTIONS)

.PHONY: push-images
push-images: ## push built images to a registry (REGISTRY=registry.example.com/storefleet IMAGES="platform woocommerce medusa")
	@exec images/push '$(REGISTRY)' $(or $(IMAGES),platform woocommerce medusa)

.PHONY: push-chart
push-chart: ## push the chart to an OCI registry (REGISTRY=oci://registry.example.com/charts)
	@mkdir -p build
	@helm package charts/storefleet --destination build
	@helm push build/storefleet-$$(sed -n 's/^version: //p' charts/storefleet/Chart.yaml).tgz '$(REGISTRY)'

##@ Work on it
.PHONY: setup
setup: .venv/.dev ## install everything for development into .venv, as locked

.PHONY: setup-node
setup-node: ## install what a real node and image builds need, by apt-get (root; Debian or Ubuntu)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(NODE_PACKAGES)

.PHONY: test
test: .venv/.dev ## run all checks of a change: format, lint, types, imports, tests, coverage
	@$(RUN) tests/checks.py

.PHONY: test-kubernetes
test-kubernetes: .venv/.dev ## test on a real Kubernetes API server, which is built from Go modules the first time
	@$(RUN) tests/checks.py kubernetes

.PHONY: test-node
test-node: .venv/.dev ## test stores as real containers on a real, isolated node (root; Debian or Ubuntu)
	@$(RUN) tests/checks.py node

.PHONY: test-browser
test-browser: .venv/.dev ## check the dashboard: types, lint, texts, and everything in a real browser (Chromium, Node.js)
	@$(RUN) tests/checks.py browser audit

.PHONY: screenshots
screenshots: .venv/.dev ## take screenshots of the dashboard, into build/screenshots (Chromium, Node.js)
	@$(RUN) -m pytest -q tests/browser/screenshots.py

.PHONY: test-attack
test-attack: .venv/.dev ## send generated requests to every input of the API, under a memory cap (3 minutes)
	@$(RUN) tests/checks.py attack

.PHONY: test-tiers
test-tiers: .venv/.dev ## run all tiers but `make test`, test-node beside the others (half an hour; root)
	@$(RUN) tests/checks.py browser audit attack kubernetes node

.PHONY: test-all
test-all: .venv/.dev ## run all test tiers, and print which were skipped and why
	@$(RUN) tests/checks.py --all

.PHONY: format
format: .venv/.dev ## format the code, and apply the linter's automatic fixes
	@.venv/bin/python -m ruff check --quiet --fix-only .
	@$(RUN) -m ruff format .

.PHONY: bench
bench: .venv/.dev ## measure this machine with a simulated cluster
	@$(RUN) -m bench

.PHONY: bench-dashboard
bench-dashboard: .venv/.dev ## measure the dashboard in Chromium, with a thousand stores that change (a quarter of an hour)
	@$(RUN) -m bench.dashboard

.PHONY: bench-comparison
bench-comparison: .venv/.dev ## measure the API beside graphql-yoga and mercurius (Node.js)
	@npm ci --silent --prefix bench/node_servers
	@$(RUN) -m bench.comparison

.PHONY: bench-kubernetes
bench-kubernetes: .venv/.dev ## measure many stores on a real API server, compared with a bare client and helm (an hour)
	@$(RUN) -m bench.kubernetes

.PHONY: bench-node
bench-node: .venv/.dev ## measure stores as real containers on a real node (root; WOOCOMMERCE_ZIP=…)
	@$(RUN) -m bench.node $(if $(WOOCOMMERCE_ZIP),--woocommerce-zip '$(WOOCOMMERCE_ZIP)')

##@ Maintain it
.PHONY: lock
lock: ## resolve requirements/*.txt from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv; one way to get it: pipx install uv" >&2; exit 1; }
	$(LOCK) pyproject.toml --group sandbox -o requirements/runtime.txt
	$(LOCK) pyproject.toml -c requirements/runtime.txt -o requirements/platform.txt
	$(LOCK) pyproject.toml --group sandbox --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(LOCK) --group pyproject.toml:node -o requirements/node.txt
	$(LOCK) --group pyproject.toml:attack -c requirements/runtime.txt -o requirements/attack.txt
	$(LOCK) --group pyproject.toml:frontend -o requirements/frontend.txt
	$(LOCK) --group pyproject.toml:sbom -o requirements/sbom.txt

.PHONY: clean
clean: ## remove caches and reports, except .venv and the demo's data
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*
	@find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +

# The developers' lock includes the runtime's.
.venv/.dev: requirements/dev.txt
	@requirements/install dev

.venv/.runtime: requirements/runtime.txt
	@requirements/install runtime
