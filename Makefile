# Every verb that CI runs is a verb here; CI has no steps of its own.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export VENV

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+(<name>)?:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
setup: ## make .venv with the pinned requirements and the four distributions
	@$(PYTHON) tools/setup.py
demo: setup ## the three patterns as local processes on real parts, narrated
	@$(BIN)/python -m tools.demo
test: setup ## everything that needs no container engine
	@$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder $(ARGS)
lint: setup ## format, lint, types, Dockerfiles, workflows
	@$(BIN)/python -m tools.lint
docs: setup ## rewrite the generated tables of the READMEs
	@$(BIN)/python -m tools.reference
lock: ## pin every requirement with its hashes
	@$(PYTHON) tools/lock.py
images: image-gitsync image-gitsync-lfs image-redis-ambassador image-metrics-adapter ## build podmates/<name>:dev; STANDIN=1 without a registry
image-%: setup
	@$(BIN)/python -m tools.image $*
image-test: setup ## the built images and every published example, on an engine
	@$(BIN)/python -m pytest -q tests/images $(ARGS)
servers: setup ## servers of other versions for the tests, once per machine
	@$(BIN)/python -m tools.servers
client-test: setup ## client libraries of four languages through servers that fail
	@$(BIN)/python -m tools.clients
	@$(BIN)/python -m pytest -q -n logical tests/clients $(ARGS)
bench: setup ## cost against peers, side by side
	@$(BIN)/python -m bench
soak: setup ## the long forms of the tests
	@SOAK=1 $(BIN)/python -m pytest -q $(ARGS)
release: ## what a release would publish, built locally: wheels and sdists into dist/
	@$(BIN)/python -m tools.release
clean: ## remove what make has made
	rm -rf $(VENV) build dist wheelhouse .mypy_cache .pytest_cache .ruff_cache .hypothesis
.PHONY: help setup demo test lint docs lock images image-test client-test servers bench soak release clean
