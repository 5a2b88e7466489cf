# The whole developer interface. `make` alone lists it.
# Nothing here names a package registry: pip and uv use what the machine is set up with.

SYSTEM_PYTHON ?= python3
TESTS_AT_ONCE ?= 2
PYTHON := .venv/bin/python
RUN := .venv/installed-run
DEV := .venv/installed-dev
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
export VIRTUAL_ENV := $(CURDIR)/.venv

.DEFAULT_GOAL := help
.PHONY: help up test check format lock bench clean

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(RUN) $(CATALOGUES) ## Start everything and serve (PORT=8000, HOST=127.0.0.1); Ctrl-C stops it
	@exec $(PYTHON) -m gptbuilder

test: $(DEV) $(CATALOGUES) ## Run the tests, or some of them: make test T=tests/embedded
	@$(PYTHON) -m pytest --numprocesses $(TESTS_AT_ONCE) --dist worksteal $(T)

check: $(DEV) ## Format, lint, types, layers, templates, migrations, translations, lock files
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	git ls-files -coz --exclude-standard -- 'templates/*.html' | xargs -0 .venv/bin/djade --target-version 5.2 --check
	$(PYTHON) -m gptbuilder.embedded.services $(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) manage.py translations check
	$(PYTHON) .ci/locks.py check

format: $(DEV) ## Put code and templates into shape
	.venv/bin/ruff check --fix --quiet . || true
	.venv/bin/ruff format --quiet .
	git ls-files -coz --exclude-standard -- 'templates/*.html' | xargs -0 .venv/bin/djade --target-version 5.2 || true

lock: .venv/bin/uv ## Make the lock files again from pyproject.toml
	$(PYTHON) .ci/locks.py write

bench: $(DEV) $(CATALOGUES) ## Measure: make bench B=coldstart ARGS=--quick (all scripts without B)
	@for script in $(if $(B),benchmarks/$(B).py,$(wildcard benchmarks/[a-z]*.py)); do $(PYTHON) $$script $(ARGS) || exit 1; done

clean: ## Remove the environment and the caches; the data folder stays
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/uv: requirements-uv.txt
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or newer is needed: make $(MAKECMDGOALS) SYSTEM_PYTHON=python3.12'; exit 1; }
	@test -x $(PYTHON) || $(SYSTEM_PYTHON) -m venv .venv
	@$(PYTHON) -m pip install --quiet --require-hashes -r requirements-uv.txt
	@touch $@

# The development environment holds all of the other one, and a developer's machine keeps it.
$(RUN): requirements.lock .venv/bin/uv
	@if [ -e $(DEV) ]; then $(MAKE) --silent $(DEV); else \
		echo 'Installing what it needs (once)'; .venv/bin/uv pip sync --compile-bytecode requirements.lock; fi
	@touch $@

$(DEV): requirements-dev.lock .venv/bin/uv
	@echo 'Installing the development environment (once)'
	@.venv/bin/uv pip sync --quiet --compile-bytecode requirements-dev.lock
	@touch $@ $(RUN)

locale/%.mo: locale/%.po | $(RUN)
	@$(PYTHON) manage.py translations compile
	@touch -c $@
