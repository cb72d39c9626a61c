# fanfold: every verb is one line of `make help`. `make check` is exactly what CI runs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run emulators-run test check fmt lint type imports bench lock clean

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP) ## make .venv from the lock file, with .venv/bin/fanfold

run: $(STAMP) ## the four example collectors and one whole run, on this machine
	@$(BIN)/fanfold demo

emulators-run: $(STAMP) ## all of it on the official Google Cloud emulators, until Ctrl-C
	@$(BIN)/python -m fanfold.emulators

test: $(STAMP) ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadscope

check: lint type imports test ## what CI runs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

fmt: $(STAMP) ## put the code in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bench: $(STAMP) ## fanfold beside the old design, in ratios
	$(BIN)/python -m bench

lock: $(STAMP) ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --all-extras \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	  -o requirements.lock pyproject.toml

clean: ## remove what make made
	rm -rf $(VENV) build
