# certdeck: `make run` to see it, `make test` to test it. Both make their own environment; see CONTRIBUTING.md.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV ?= .venv
SERVERS := .servers
RUN_HOME := $(CURDIR)/.certdeck-home
PROVISION := tests/support/provision
BIN := $(VENV)/bin
# More test processes than processors: half of the time a test waits for a server or a limit rather than for a processor.
WORKERS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 2)))
# The files come in the order of tests/conftest.py, the long ones first, so that no process is left alone with one at the end.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 50 --durations-min 1
# Hundreds of real servers start and end beside each other. What fails then is run once more by itself: a fault fails again; what passes
# then is listed, and is a race to fix. Only status 1 says that the list of what failed is of this run.
AGAIN := $(BIN)/python -m pytest -v --last-failed --last-failed-no-failures none --maxfail 5
TEST := $(PYTEST) || { [ $$? = 1 ] && echo "== what failed, once more, one at a time" && $(AGAIN); }
# Bytecode is kept, beside the tree: the tests start certdeck hundreds of times, and compiling it each time costs more than they do.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.pycache
export PYTHON

.PHONY: help run test check format lock bench fleet interop deb release ansible fuzz clean venv environment servers

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: environment ## First boot in .certdeck-home, then the console (without a terminal: a certificate, a renewal, the status)
	@CERTDECK_HOME="$(RUN_HOME)" PATH="$(abspath $(BIN)):$$PATH" sh $(PROVISION)/tour.sh

test: venv servers ## Install what the tests need and run every test
	@$(TEST)

check: venv servers ## What CI runs: format, lint, types, architecture rules, tests
	@echo "== format"; $(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@echo "== lint"; $(BIN)/ruff check --quiet .
	@echo "== types"; $(BIN)/mypy
	@echo "== tests, architecture rules among them"; $(TEST)

format: venv ## Format the sources and fix what the linter can fix
	@$(BIN)/ruff check --quiet --fix .; $(BIN)/ruff format --quiet .

lock: ## Pin the packages again, with hashes, from pyproject.toml
	@UPGRADE="$(UPGRADE)" sh $(PROVISION)/lock.sh

bench: venv servers ## Measure speed and memory
	@$(BIN)/python -m pytest -m bench -s tests/bench

fleet: venv servers ## Run every fault of a fleet, with real etcd processes (minutes)
	@$(BIN)/python -m pytest -m "fleet or e2e" -n $(WORKERS) --dist loadfile tests/fleet

# Port 80 and port 53 of a network of their own, and an environment of its own: CI does not need it.
interop: venv servers ## Run against other ACME servers (Caddy, acme2certifier, serles) and beside certbot; needs Linux namespaces
	@sh tests/interop/run.sh "$(abspath $(BIN))"

deb: venv ## Build the Debian package into dist/
	@$(BIN)/python packaging/deb/build.py "$(abspath $(BIN))/python" dist

release: venv servers ## Test the Debian package in a fresh minimal Debian 12 (SUITE=trixie: 13), and wheel, sdist and pipx (root)
	@SUITE="$(SUITE)" sh packaging/deb/test.sh "$(abspath $(BIN))/python" $(SERVERS) .deb-test
	@SUITE="$(SUITE)" sh packaging/deb/boot.sh "$(abspath $(BIN))/python" $(SERVERS) .deb-test
	@sh packaging/python/test.sh "$(abspath $(BIN))/python" .deb-test

ansible: venv servers ## Test the Ansible example in a fresh minimal Debian 12 (root)
	@sh packaging/ansible/test.sh "$(abspath $(BIN))/python" $(SERVERS) .deb-test

# An environment of its own: no installation and no other target needs what it fetches.
fuzz: ## Look for uploads that break the checks; SECONDS=3600, finds go to .fuzz/found
	@sh tests/fuzz/fuzz.sh "$(or $(SECONDS),3600)"

clean: ## Remove everything that was made here, certificates of `make run` included
	@rm -rf $(VENV) .lock-venv .fuzz-venv .fuzz .interop .deb-test $(SERVERS) .certdeck-home .reports build dist *.egg-info
	@rm -rf .pycache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find core tui themes tests -type d -name __pycache__ -prune -exec rm -rf {} +

environment: # what certdeck runs with
	@sh $(PROVISION)/environment.sh "$(VENV)" runtime

venv: # what the tests need too
	@sh $(PROVISION)/environment.sh "$(VENV)" dev

servers:
	@sh $(PROVISION)/servers.sh $(SERVERS)
