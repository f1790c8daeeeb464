# Two commands matter: `make up` runs Nightshift on this machine, `make test` proves that this checkout works.
# NIGHTSHIFT_HOME=DIR says where data live (./.nightshift by default), PYTHON=/path/to/python3 which Python is used.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PINS := pyproject.toml constraints.txt
SCREENS ?= ../shared/data/screens
WORKERS ?= 2
export PYTHON
# Where it is set every process compiles all the libraries anew, which takes longer than what most of them then do.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up test check soak learning screenshots vllm browser clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

# `exec` makes Nightshift itself the child of make, so that Ctrl-C and SIGTERM reach it and not a shell in between.
up: .venv/.installed  ## start the console, the API and the nightly flow; Ctrl-C stops all of it
	@exec $(BIN)/nightshift up

# vLLM cannot be had everywhere; without it the tests that need it are skipped, with that reason. One thread a process:
# threads of several processes that wait for each other's cores are slower than none.
test: .venv/.installed-dev browser check  ## everything that must hold, without what is long or needs an accelerator
	-@$(MAKE) --no-print-directory vllm
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not soak and not gpu" --numprocesses $(WORKERS) --dist loadfile

check: .venv/.installed-dev  ## style, types, and the order of the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: .venv/.installed-dev browser  ## what is long: many kills, many seeds, load
	$(BIN)/pytest -m soak
	@if [ -d "$(SCREENS)" ]; then $(MAKE) learning; else echo "no folder $(SCREENS): the learning experiments are left out"; fi

learning: .venv/.installed-dev  ## both learning experiments over five seeds, on the labelled folder SCREENS
	$(BIN)/python -m tests.benchmarks.simulations --dataset "$(SCREENS)" --out docs/benchmarks

screenshots: .venv/.installed-dev browser  ## the pictures of the console in docs/images, of drawn screens
	$(BIN)/python tests/e2e/screenshots.py

vllm: .venv/.vllm  ## vLLM beside the rest: an engine for rollouts, a judge, and what `bench classify` compares with

browser:
	@deployments/browser.sh

clean:  ## remove the environment and every cache; data stay
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find core flows app tests -name __pycache__ -prune -exec rm -rf {} +

.venv/.vllm: .venv/.installed deployments/vllm.sh deployments/vllm-overrides.txt
	@deployments/vllm.sh && touch $@

.venv/.installed: $(PINS)
	@deployments/environment.sh

.venv/.installed-dev: $(PINS)
	@deployments/environment.sh dev
