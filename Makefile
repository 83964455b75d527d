# make help shows what there is. Everything is installed into .venv and .venv-meltano, nothing elsewhere.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
MELTANO := .venv-meltano
DAGSTER := .venv-dagster
BIN := $(VENV)/bin
PACKAGES := tap-bill target-quickbooks plugins/simulator plugins/webhook-shim
# One more than there are processors: the longest tests wait for programs most of the time.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
LOCKED := $(addprefix requirements/,bootstrap.txt dev.txt meltano.txt dagster.txt)
LOCK := uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate

export PATH := $(CURDIR)/$(BIN):$(CURDIR)/$(MELTANO)/bin:$(PATH)
export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python from 3.11 to 3.13 that can make virtual environments; PYTHON=... overrides.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	"$$python" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && command -v "$$python" && break; done)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(VENV)/.ready $(MELTANO)/.ready $(DAGSTER)/.ready ## Install everything into .venv, .venv-meltano and .venv-dagster

$(VENV)/.ready: requirements/bootstrap.txt requirements/dev.txt $(PACKAGES:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed (on Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/bootstrap.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=--editable %)
	@touch $@

$(MELTANO)/.ready: requirements/meltano.txt $(VENV)/.ready
	@echo "Setting up $(MELTANO)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(MELTANO)
	@$(BIN)/uv pip install --quiet --python $(MELTANO)/bin/python --require-hashes --requirement requirements/meltano.txt
	@touch $@

$(DAGSTER)/.ready: requirements/dagster.txt plugins/dagster/pyproject.toml $(VENV)/.ready
	@echo "Setting up $(DAGSTER)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(DAGSTER)
	@$(BIN)/uv pip install --quiet --python $(DAGSTER)/bin/python --require-hashes --requirement requirements/dagster.txt
	@$(BIN)/uv pip install --quiet --python $(DAGSTER)/bin/python --no-deps --no-build-isolation --editable plugins/dagster
	@touch $@

.PHONY: demo
demo: setup ## BILL to QuickBooks on a simulated company: run, run again, change three records, run again
	@$(BIN)/python scripts/demo.py

.PHONY: browser
browser: ## Make sure that there is a Chromium for the browser tests (installs Debian's, as root)
	@if command -v chromium >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null || \
			echo "Chromium could not be installed; see above." >&2; \
	elif command -v chromium-browser google-chrome >/dev/null || [ -n "$${CHROMIUM:-}" ]; then exit 0; \
	else echo "No Chromium: the browser tests will $$([ "$${CI:-}" = true ] && echo fail || echo be skipped). On Debian: sudo apt-get install chromium; elsewhere set CHROMIUM to a Chrome or Chromium." >&2; fi

.PHONY: postgres
postgres: ## Make sure that there is a PostgreSQL for the tests (installs Debian's, as root); they start their own
	@if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing PostgreSQL for the tests"; \
		mkdir -p /etc/postgresql-common/createcluster.d; \
		echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/no-main-cluster.conf; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null || \
			echo "PostgreSQL could not be installed; see above." >&2; \
	else echo "No PostgreSQL: its tests will $$([ "$${CI:-}" = true ] && echo fail || echo be skipped). On Debian: sudo apt-get install postgresql; elsewhere install its server and have initdb on the PATH." >&2; fi

.PHONY: test
test: setup browser postgres ## Run every test, in parallel
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup --durations 15 $(ARGS)

.PHONY: soak
soak: setup ## Pull the plug COUNT times (200), send EXAMPLES random inputs (10000); 0 for none; SEED=... repeats a run
	@[ "$(COUNT)" = 0 ] || SOAK_SEED="$(SEED)" SOAK_KILLS="$(or $(COUNT),200)" \
		$(BIN)/pytest -n 0 --timeout 0 -s tests/test_kills.py
	@[ "$(EXAMPLES)" = 0 ] || SOAK_EXAMPLES="$(or $(EXAMPLES),10000)" \
		$(BIN)/pytest -n auto --timeout 0 $(if $(SEED),--hypothesis-seed=$(SEED)) tests/test_fuzz_*.py

.PHONY: month
month: setup ## Live through COUNT (10) months of a firm with people, faults and outages; SEED=... repeats one
	@MONTH_SEED="$(SEED)" MONTH_COUNT="$(or $(COUNT),$(if $(SEED),1,10))" \
		$(BIN)/pytest -n auto --timeout 0 -v tests/month

.PHONY: bench
bench: setup ## Measure speed, calls, memory and start-up; ARGS=--quick for small companies, ARGS=tap for one subject
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: check
check: setup ## Lint, formatting, types, secrets
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@cd plugins/dagster && $(CURDIR)/$(DAGSTER)/bin/mypy
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/python scripts/find_secrets.py

.PHONY: audit
audit: setup ## Ask for known weaknesses of what the lock files name (needs the network)
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes $(LOCKED:%=--requirement %)
	@$(BIN)/pip-audit --strict --disable-pip --no-deps --requirement requirements/plugins.txt

.PHONY: format
format: setup ## Format the code and mend what the linter can
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

.PHONY: docs
docs: setup ## Build the documentation into site/; a warning is an error
	@$(BIN)/python scripts/docs.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "See site/index.html, or: $(BIN)/mkdocs serve"

.PHONY: pictures
pictures: setup browser ## Take the pictures of the documentation anew, from the real pages
	@$(BIN)/python scripts/pictures.py

.PHONY: build
build: setup ## Build every package into dist/, as it is published
	@rm -rf dist
	@for package in $(PACKAGES) plugins/dagster; do $(BIN)/python -m build --no-isolation --outdir dist $$package >/dev/null; done
	@$(BIN)/twine check --strict dist/*

.PHONY: lock
lock: $(VENV)/.ready ## Make the lock files anew with the newest versions
	@$(LOCK) --upgrade --generate-hashes requirements/bootstrap.in --output-file requirements/bootstrap.txt
	@$(LOCK) --upgrade --generate-hashes --no-emit-package tap-bill --no-emit-package target-quickbooks requirements/dev.in $(PACKAGES:%=%/pyproject.toml) --output-file requirements/dev.txt
	@$(LOCK) --upgrade --extra postgres --no-emit-package tap-bill --no-emit-package target-quickbooks tap-bill/pyproject.toml target-quickbooks/pyproject.toml plugins/webhook-shim/pyproject.toml --output-file requirements/plugins.txt
	@$(LOCK) --upgrade --generate-hashes requirements/meltano.in --output-file requirements/meltano.txt
	@$(LOCK) --upgrade --generate-hashes requirements/dagster.in --output-file requirements/dagster.txt

.PHONY: clean
clean: ## Remove environments, caches and what the demo left
	@rm -rf $(VENV) $(MELTANO) $(DAGSTER) dist site .meltano .simulator .mypy_cache .pytest_cache .ruff_cache .hypothesis .peers
