# Penstock. `make` alone lists what can be made.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv run test test-long bench lock clean FORCE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- environment -----------------------------------------------------------------------------------
# `.locked` is newer than the lock when its packages are in; `.installed` is newer than pyproject.toml
# when Penstock is in, and holds the folder it was installed from. A moved checkout, or an interpreter
# that has gone, makes the environment stale as well.

FRESH := $(shell $(BIN)/python -c '' 2>/dev/null && cat $(INSTALLED) 2>/dev/null)
ifneq ($(FRESH),$(CURDIR))
$(LOCKED): FORCE
endif

venv: $(INSTALLED) ## Build .venv from requirements.lock, where it is missing or stale

$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Penstock needs Python 3.11 or newer; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." >&2; \
	    echo "Mend: install Python 3.11 with venv, or name one: make PYTHON=/path/to/python3.11 venv" >&2; \
	    exit 1; }
	@echo "Building $(VENV) from requirements.lock"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) --only-binary :all: --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@printf '%s\n' '$(CURDIR)' > $@

# --- use -------------------------------------------------------------------------------------------

run: venv ## Run the study of Pakistan and write its report
	$(BIN)/penstock run pakistan

# --- checks ----------------------------------------------------------------------------------------

test: venv ## Lint, check types, run the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup

test-long: venv ## Run the tests that take minutes
	$(BIN)/pytest -m long

bench: venv ## Time the kernel against HiGHS and PyPSA; writes docs/performance.md
	$(BIN)/python -m bench

# --- upkeep ----------------------------------------------------------------------------------------

lock: ## Rewrite requirements.lock after a change in pyproject.toml; UPGRADE=1 moves every pin
	@set -e; tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	$(PYTHON) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); \
	print(*p["project"]["dependencies"], *p["dependency-groups"]["dev"], sep="\n")' > "$$tmp/requirements.in"; \
	if [ -f requirements.lock ]; then cp requirements.lock "$$tmp/requirements.lock"; fi; \
	$(PYTHON) -m venv "$$tmp/venv"; \
	"$$tmp/venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip pip-tools; \
	"$$tmp/venv/bin/pip-compile" - --output-file "$$tmp/requirements.lock" --quiet --no-config \
	    --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-options \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    $(if $(UPGRADE),--upgrade) < "$$tmp/requirements.in"; \
	{ echo '# Everything pyproject.toml asks for, its dev group included, pinned with hashes. Made by: make lock'; \
	  sed 's/-r -$$/pyproject.toml/' "$$tmp/requirements.lock"; } > requirements.lock
	@echo "Wrote requirements.lock"

clean: ## Remove .venv, caches and built packages; out/ stays, reports are yours
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find bench src tests -type d -name __pycache__ -prune -exec rm -rf {} +
