# Two commands: `make demo` runs the main job, `make test` the whole suite. Both make .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test lint bench bench-long clean

demo: .venv/base
	$(BIN)/ectopy demo

test: .venv/dev
	$(BIN)/python -m pytest -n auto
	$(BIN)/python -m pytest -m slow

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Minutes, and an hour or more; both write benchmarks/README.md.
bench: .venv/bench
	$(BIN)/python benchmarks/run.py

bench-long: .venv/bench
	$(BIN)/python benchmarks/run.py --long

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --upgrade "pip>=25.1"

.venv/base: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

# torch alone first and pinned, so that a local CPU build of that version is taken where pip has one.
.venv/dev: .venv/base
	$(PIP) torch==2.13.0
	$(PIP) --group dev --editable ".[all]"
	touch $@

# Peers of the benchmarks, on top of everything else.
.venv/bench: .venv/dev
	$(PIP) --group bench
	touch $@

clean:
	rm -rf .venv out runs build dist .mypy_cache .pytest_cache .ruff_cache
