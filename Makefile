# The words of this project. `make` alone lists them; `.ci/run` uses the same ones.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

TARGET  := $(abspath $(or $(CARGO_TARGET_DIR),target))
LISTEN  ?= 127.0.0.1:8080
DATA    ?= data
# Flags of the benchmark, such as `make bench BENCH="--only open --seconds 5"`.
BENCH   ?= --write docs/benchmarks.md

PIP_INSTALL := acceptance/python/.venv/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes

CONSOLE_SOURCES := $(shell find console -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/e2e/*' 2>/dev/null)

.PHONY: help run build console test check bench requirements \
	fuzz test-long test-rust test-console test-browser test-sdk test-python test-contract

help: ## List these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build everything and serve on http://127.0.0.1:8080 with ./data
	@exec $(TARGET)/release/hookyard serve --listen $(LISTEN) --data-dir $(DATA)

build: requirements console ## Build the release binary with the console in it
	cargo build --release --locked -p hookyard-server

console: console/dist/index.html ## Build the console, if its sources changed

test: requirements ## Run every test: Rust, console, browser, official SDKs
	@scripts/test

test-long: requirements ## Run what does not fit into every run: more seeds, kills and fuzzing
	@scripts/test-long

test-rust: requirements console ## Run the Rust tests
	@scripts/test rust

test-console: requirements ## Run the console's unit tests
	@scripts/test console

test-browser: requirements ## Run the browser tests against the real binary
	@scripts/test browser

test-sdk: requirements ## Run the official SDK against the real binary
	@scripts/test sdk

test-python: requirements ## Run Python's official clients against the real binary
	@scripts/test python

test-contract: requirements ## Call every operation at random, and hold answers against the description
	@scripts/test contract

check: requirements ## Check format, lints, documentation, types, dependencies and spelling
	@scripts/check

fuzz: requirements ## Let libFuzzer try every reader of foreign bytes, FUZZ_SECONDS each (20)
	@scripts/fuzz $(READERS)

bench: build ## Measure against a bare proxy; the table goes to docs/benchmarks.md
	cargo build --release --locked -p hookyard-bench
	$(TARGET)/release/hookyard-bench $(BENCH)

requirements:
	@scripts/require

# The lockfile that npm leaves inside is its own stamp.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	npm --prefix $* ci --ignore-scripts --no-audit --no-fund
	@touch $@

# Two packages come as source only: what builds them is pinned, and nothing needs a compiler.
acceptance/python/.venv/stamp: acceptance/python/build-requirements.txt acceptance/python/requirements.txt
	python=$$(scripts/python) && "$$python" -m venv --clear $(@D)
	$(PIP_INSTALL) --only-binary :all: -r acceptance/python/build-requirements.txt
	$(PIP_INSTALL) --only-binary :all: --no-binary observable,pubnub \
		--no-build-isolation --use-pep517 -r acceptance/python/requirements.txt
	@touch $@

acceptance/contract/.venv/stamp: acceptance/contract/requirements.txt
	python=$$(scripts/python 3.11) && "$$python" -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --only-binary :all: -r $<
	@touch $@

console/dist/index.html: console/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	npm --prefix console run build
	@touch $@
