# Every task of this repository, here and in CI. What is missing on the machine is installed, and said.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# The tests start Python many hundred times; forbidden to keep what it compiles, it compiles the same SDK each time.
unexport PYTHONDONTWRITEBYTECODE

bin := .venv/bin
sample := sample_jobs/iris_training
pipeline := sample_jobs/ctr_pipeline
toolkit := fixtures/images/toolkit
PYTEST_ARGS ?=
BENCH_ARGS ?=

.PHONY: help install demo test check bench \
  lint unit engine base-image sample-wheels pipeline-wheels toolkit-wheels browser clients prepare-run prepare-pipeline prepare-demo prepare-programs prepare-test

help: ## show the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.installed ## make .venv with the emulator and what its developers use

demo: install ## run the sample pipeline in real containers (without, where there is no Docker), from raw logs to scores
	@scripts/demo

check: install $(pipeline)/data/.made ## the quick checks: ruff, mypy, unit tests; no Docker needed
	@$(MAKE) -j2 lint unit

test: lint prepare-test ## everything: the checks, then all tests, with Docker and real AWS clients
	SCREENSHOTS=$${SCREENSHOTS:-$(CURDIR)/build/screenshots} $(bin)/python -m pytest tests -n 3 --dist loadgroup $(PYTEST_ARGS)

bench: install base-image ## measure how fast jobs start and data moves
	$(bin)/python scripts/bench.py $(BENCH_ARGS)

# What the verbs are made of.

.venv/.installed: pyproject.toml
	@python=$$(scripts/find-python); \
	echo "Installing the emulator and its development tools into .venv (Python: $$python)."; \
	[ -x $(bin)/python ] || "$$python" -m venv .venv
	@$(bin)/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(bin)/python -m pip install -qq --editable . --group dev
	@touch $@

lint: install
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy

engine:
	@scripts/ensure-engine

unit: install
	$(bin)/python -m pytest tests/unit -n 2 $(PYTEST_ARGS)

base-image: engine
	@scripts/ensure-base-image

sample-wheels: install
	@scripts/wheels $(sample) $(sample)/requirements.txt

pipeline-wheels: install
	@scripts/wheels $(pipeline) $(pipeline)/requirements.txt $(pipeline)/requirements-training.txt

$(pipeline)/data/.made: $(pipeline)/generate.py | install
	@$(bin)/python $(pipeline)/generate.py
	@touch $@

toolkit-wheels: install
	@scripts/wheels $(toolkit) $(toolkit)/requirements.txt

browser:
	@scripts/ensure-browser

clients: install
	@scripts/client-environments

# Parts that do not depend on each other are made side by side.
prepare-run: install
	@$(MAKE) -j2 base-image sample-wheels

prepare-pipeline: install
	@$(MAKE) -j3 base-image pipeline-wheels $(pipeline)/data/.made

prepare-demo: install
	@$(MAKE) -j4 base-image sample-wheels pipeline-wheels $(pipeline)/data/.made

prepare-programs: install
	@$(MAKE) -j2 pipeline-wheels $(pipeline)/data/.made

prepare-test: install
	@$(MAKE) -j4 base-image browser sample-wheels pipeline-wheels toolkit-wheels clients $(pipeline)/data/.made
