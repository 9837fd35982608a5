# `make help` lists what there is. Everything is made in .venv and in one cargo target directory outside the checkout.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
export CARGO_TARGET_DIR ?= $(HOME)/.cache/brightspot/target
# Outputs of reference software, where they are at hand; tests that need them say so and skip where they are not.
export BRIGHTSPOT_REFERENCE ?= $(realpath ../shared/reference)

BIN := .venv/bin
CORE := --no-default-features --features postgres
# A real PostgreSQL, out of a wheel, for as long as a command runs.
WITH_POSTGRES := $(BIN)/python tests/python/with_postgres.py
RUST := Cargo.toml Cargo.lock python/Cargo.toml $(shell find src python/src -name '*.rs')

.PHONY: help demo test test-rust test-frame test-py sim bench build fmt lint deny check records lock clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: build ## Run the whole loop on real and on synthetic data; pages and pictures go to demo/
	@$(BIN)/brightspot demo --out demo

test: test-rust test-py ## Run all tests

test-rust: .venv/.synced ## Run the core's tests (without polars: seconds)
	$(WITH_POSTGRES) cargo test --locked $(CORE)

test-frame: ## Run the core's tests of data frames, as a Rust user has them (compiles polars once more)
	cargo test --locked --profile frame --no-default-features --features frame --test it frame
	cargo test --locked --profile frame --no-default-features --features frame --doc frame

test-py: build ## Run the tests of the Python package, its docstrings and notebooks
	$(BIN)/python -m pytest

sim: .venv/.synced ## Run the simulations: false alarms, coverage, false discovery (minutes)
	$(WITH_POSTGRES) cargo test --locked --profile sim $(CORE) --test it -- --ignored --nocapture --skip timing --skip writes_until_killed \
		--skip a_state_is_fitted --skip the_default_district_takes

bench: build ## Measure speed beside what people use today
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet -r benches/requirements.txt
	$(BIN)/python benches/speed.py

build: .venv/.built ## Build the Python package into .venv

# The environment: uv from PyPI, then exactly what is locked.
.venv/.synced: python/requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet -r python/requirements-dev.txt
	@touch $@

# Only maturin builds the binding, in one profile: a plain `cargo build` of it would rebuild all of polars.
.venv/.built: .venv/.synced pyproject.toml $(RUST)
	@echo "Building the Rust part (the first time some 10 minutes on two cores, afterwards seconds) ..."
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/maturin develop --release --uv --locked --quiet
	@touch $@

records: .venv/.synced ## Write the JSON Schemas and the Python classes of the records anew
	UPDATE=1 cargo test --locked $(CORE) --test it schemas
	$(BIN)/python python/generate_records.py

fmt: .venv/.synced ## Format everything
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

lint: build ## Formatting, lints, types, stubs
	cargo fmt --all --check
	cargo clippy --locked $(CORE) --all-targets -- -D warnings
	CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)/lint PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo clippy --locked --profile frame \
		-p brightspot -p brightspot-python --features brightspot/frame,brightspot/journal -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m mypy.stubtest brightspot._core

deny: ## Check licences and advisories of the dependencies (needs cargo-deny)
	cargo deny check

check: lint test test-frame deny ## Everything

lock: ## Lock the Python environment anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group dev --generate-hashes --no-annotate \
		--custom-compile-command "make lock" pyproject.toml -o python/requirements-dev.txt --upgrade

clean: ## Remove what was made in the checkout
	rm -rf .venv demo .pytest_cache .ruff_cache .mypy_cache .hypothesis
