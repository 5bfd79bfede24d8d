# Two commands for a newcomer: `make demo` and `make test`. Each does all its own set-up, with Python packages only.
#
# TORCH is installed first, so that the build you want is the one you get:
#   make demo TORCH='torch==2.13.0'          the default; on Linux PyPI serves the CUDA build under this name
#   make demo TORCH='torch==2.13.0+cpu' PIP_EXTRA_INDEX_URL=<the CPU index that pytorch.org names>
#   make demo TORCH=                         keep whatever the environment has

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test nightly check format docs clean

demo: $(VENV)/.generate
	$(BIN)/python examples/demo.py demo

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile -q

# What takes too long for every push: a fault at every system call of an append and of a publication (about an hour with
# strace, which must be allowed to trace), and ten thousand changes to the log, each of which must be found.
nightly: $(VENV)/.dev
	MUTATIONS=10000 $(BIN)/python -m pytest -q -n $(JOBS) tests/provenance/ledger/test_mutations.py
	INJECTIONS=9999 $(BIN)/python -m pytest -q tests/provenance/ledger/test_injected_faults.py

check: $(VENV)/.dev
	$(BIN)/ruff format --check --no-cache .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.venv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/.torch: $(VENV)/.venv
	$(if $(strip $(TORCH)),$(BIN)/python -m pip install --quiet $(TORCH))
	touch $@

$(VENV)/.generate: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[generate]'
	touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

docs: $(VENV)/.dev
	$(BIN)/python -m platemark.cli.reference > docs/cli.md
