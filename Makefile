# One command each: `make up` to a converged local run, `make test` to run every test. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
# From this folder, where every recipe runs: make splits a path with spaces in it.
BIN := $(VENV)/bin
LOCAL := .tenantry

# A folder's name may have letters beyond ASCII, whatever the shell's locale.
export LC_ALL := C.UTF-8
# These would send Python and git elsewhere than this folder.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONOPTIMIZE GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# Installs lock files and this project; `$(1)` are the locks, `$(2)` says for what.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Makefile: $(PYTHON) is %d.%d, and Tenantry needs 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version_info[:2])'
	@test -x $(BIN)/python || { echo "virtual environment: $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "packages $(2), from $(1)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(patsubst %,--requirement %,$(1))
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
endef

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/' | column -t -s '|'

$(VENV)/.run: requirements-localcloud.lock requirements-build.lock pyproject.toml
	$(call install,requirements-localcloud.lock requirements-build.lock,to run)

$(VENV)/.service: requirements-service.lock $(VENV)/.run
	$(call install,requirements-service.lock,to serve)

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(call install,requirements-dev.lock,to develop)

.PHONY: engine
engine: $(VENV)/.run ## find, download or build the Pulumi engine and its plugins
	@$(BIN)/python -m tenantry.engine ensure --bin "$$PWD/$(BIN)"

.PHONY: up
up: engine ## converge tenants.yaml on the local cloud
	@$(BIN)/localcloud start
	@eval "$$($(BIN)/tenantry env)" && tenantry up --yes --create

SERVED ?= 127.0.0.1:8080

# Lines that work as they are, in another shell.
define FIRST_REQUESTS
curl -sSw '\n' http://$(SERVED)/v1/apps -H "Authorization: Bearer $$TOKEN" -H 'Content-Type: application/json' -H 'Idempotency-Key: shop' -d '{"app_name": "shop"}'
curl -sSw '\n' http://$(SERVED)/v1/apps -H "Authorization: Bearer $$TOKEN"
curl -sSw '\n' http://$(SERVED)/ee/apps -H "Authorization: Bearer $$TOKEN" -H 'Content-Type: application/json' -H 'Prefer: respond-async' -H 'Idempotency-Key: shop-eu' -d '{"app_name": "shop-eu", "plan": "pro", "region": "aws-eu-central-1"}'
endef
export FIRST_REQUESTS

.PHONY: serve
serve: engine $(VENV)/.service ## serve the HTTP API on the local cloud, with a token and three requests to try [SERVED=host:port]
	@$(BIN)/localcloud start
	@eval "$$($(BIN)/tenantry env)"; export TENANTRY_SERVICE_ONE_MACHINE=true; \
	token=$$($(BIN)/localcloud token --tenant acme --scope "apps:read apps:write apps:secrets apps:delete"); \
	{ for i in {1..120}; do curl -fs http://$(SERVED)/readyz >/dev/null && break; sleep 0.5; done; \
	printf '\n%s\n' "A token to try, for an hour, and three requests:" "export TOKEN=$$token" "$$FIRST_REQUESTS"; } & \
	exec $(BIN)/tenantry serve --workers 2 --bind $(SERVED)

.PHONY: down
down: ## stop the local cloud; its data and the state stay
	@test ! -x $(BIN)/localcloud || $(BIN)/localcloud stop

.PHONY: clean
clean: down ## remove the local cloud's data, the local state and the virtual environment
	@rm -rf $(LOCAL) $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: lint
lint: $(VENV)/.dev ## format, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

.PHONY: check
check: lint ## the same and the unit tests: a minute
	@$(BIN)/pytest --quiet --numprocesses 2 tests/unit

.PHONY: test
test: $(VENV)/.dev engine ## the tests: units, the local cloud, the real engine, the plugins; not the whole matrix of faults
	@$(BIN)/python -m tenantry.engine test
	@$(BIN)/pytest --quiet --numprocesses 2 tests/unit
	@# These wait more than they compute. The longest files come first, so that no process is left with one at the end.
	@# An engine of a test lives for seconds: with less collecting of garbage it takes a tenth less CPU.
	@# Native: CPython 3.11 may fail to parse the source of a failure while another thread does so, and ends the worker.
	@GOGC=400 $(BIN)/pytest --tb=native --numprocesses 4 --dist loadfile --no-loadscope-reorder -m "not faults" \
		tests/faults tests/engine tests/service tests/localcloud

.PHONY: faults
faults: $(VENV)/.dev engine ## the whole matrix of faults [SEED=n] [CASES=substring] [RESUME=1] [STOCK=1]
	@$(BIN)/python -m tests.faults --seed $(or $(SEED),1) --cases "$(CASES)" $(if $(RESUME),--resume) $(if $(STOCK),--stock)
	@$(if $(STOCK)$(CASES),,$(BIN)/pytest --numprocesses 2 --dist loadfile -m faults tests)

.PHONY: sdk
sdk: engine ## make sdks/neon again
	@$(BIN)/python -m tenantry.engine sdk

.PHONY: schema
schema: $(VENV)/.run ## make the JSON Schemas of the registry, the plan and the drift again
	@$(BIN)/tenantry schema > tenants.schema.json
	@$(BIN)/tenantry schema plan > plan.schema.json
	@$(BIN)/tenantry schema drift > drift.schema.json

.PHONY: commands
commands: $(VENV)/.run ## make docs/commands.md again from the commands' own help
	@$(BIN)/python -m tenantry.reference > docs/commands.md.new && mv docs/commands.md.new docs/commands.md

.PHONY: metrics
metrics: $(VENV)/.run ## make the table of docs/monitoring.md again from the definitions of the metrics
	@$(BIN)/python -m tenantry.observing.page docs/monitoring.md

.PHONY: alerts
alerts: $(VENV)/.run ## make the rules for Prometheus and the dashboard for Grafana again, from the metrics' definitions
	@$(BIN)/python -c 'from tenantry.observing.alerts import rules; print(rules(), end="")' > deploy/prometheus/tenantry.rules.yml
	@$(BIN)/python -c 'from tenantry.observing.alerts import dashboard; print(dashboard(), end="")' > deploy/grafana/tenantry.json

.PHONY: docs
docs: $(VENV)/.dev ## build the pages of docs/ into site/, and check their links
	@$(BIN)/mkdocs build --strict

# Made again from pyproject.toml; what is pinned stays where it still fits.
LOCKED := uv pip compile --quiet --no-header --no-annotate --generate-hashes --universal --python-version 3.11

.PHONY: lock
lock: ## make the lock files again from pyproject.toml (needs uv)
	$(LOCKED) pyproject.toml --output-file requirements.lock
	$(LOCKED) --extra localcloud --constraint requirements.lock pyproject.toml --output-file requirements-localcloud.lock
	$(LOCKED) --extra service --constraint requirements-localcloud.lock pyproject.toml --output-file requirements-service.lock
	$(LOCKED) --group build --output-file requirements-build.lock
	$(LOCKED) --extra localcloud --extra service --group build --group docs --group test \
		--constraint requirements-localcloud.lock --constraint requirements-service.lock \
		--constraint requirements-build.lock pyproject.toml --output-file requirements-dev.lock

.PHONY: screenshots
screenshots: $(VENV)/.dev engine ## take the README's pictures of the page again (needs chromium)
	@SCREENSHOTS=docs/images $(BIN)/pytest --quiet tests/service/test_page_browser.py

.PHONY: wheel
wheel: $(VENV)/.dev ## build the wheel and the source distribution into dist/
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist .
