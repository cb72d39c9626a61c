# fanfold: every verb is one line of `make help`. `make check` is exactly what CI runs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run emulators-run test check fmt lint type imports bundle infra-validate infra-plan bench bench-docs mutants screenshots lock clean

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@echo "making $(VENV), once" >&2
	@$(PYTHON) -m venv $(VENV)
	@echo "installing $$(grep -c '^[a-z].*==' requirements.lock) pinned packages: a minute or two" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@echo "installing fanfold itself" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
	@echo "$(VENV) is ready: $(BIN)/fanfold" >&2

setup: $(STAMP) ## make .venv from the lock file, with .venv/bin/fanfold

run: $(STAMP) ## the four example collectors and one whole run, on this machine
	@$(BIN)/fanfold demo

emulators-run: $(STAMP) ## all of it on the official Google Cloud emulators, until Ctrl-C
	@$(BIN)/python -m fanfold.devstack

test: $(STAMP) ## the whole test suite
	$(BIN)/python -m pytest -n 3 --dist loadscope

check: lint type imports test bundle ## what CI runs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

screenshots: $(STAMP) ## docs/images/ again, and build/screenshots/: every page, light and dark (tmux, chromium)
	@tools/screenshots.sh

fmt: $(STAMP) ## put the code in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bundle: $(STAMP) ## build/: a zip for each function, the same bytes every time
	@$(BIN)/python -m tools.bundle

# Where terraform gets the google provider's schema from; without tf-offline, the provider itself.
TF_OFFLINE := $(or $(FANFOLD_TF_OFFLINE),$(wildcard ../shared/tools/terraform-offline/tf-offline))
TERRAFORM = $(if $(TF_OFFLINE),$(TF_OFFLINE) infra,terraform -chdir=infra)

infra-validate: ## check infra/ against the google provider's schema
	terraform fmt -check -recursive infra
	$(if $(TF_OFFLINE),,$(TERRAFORM) init -backend=false -input=false)
	$(TERRAFORM) validate

infra-plan: bundle ## what Terraform would make: PLAN_ARGS="-var project_id=..."
	$(if $(TF_OFFLINE),,$(TERRAFORM) init -input=false)
	$(TERRAFORM) plan $(PLAN_ARGS)

bench: $(STAMP) ## fanfold beside the old design, in ratios
	$(BIN)/python -m bench

bench-docs: $(STAMP) ## the same, and writes the table of docs/performance.md
	$(BIN)/python -m bench --write

mutants: $(STAMP) ## break the code on purpose: MUTANTS="--seed 7 --sample 150"
	$(BIN)/python -m tools.mutants $(MUTANTS)

lock: $(STAMP) ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --all-extras \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	  -o requirements.lock pyproject.toml

clean: ## remove what make made
	rm -rf $(VENV) build
