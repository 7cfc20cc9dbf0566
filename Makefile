# Every target creates the environment when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test slow lint types bench bench-peers mutants docs wheel compat clean

demo: $(STAMP)
	$(BIN)/barometre demo

test: $(STAMP)
	$(BIN)/python -m pytest -n auto tests README.md docs --doctest-modules --doctest-glob='*.md' barometre

slow: $(STAMP)
	BAROMETRE_SLOW=1 $(BIN)/python -m pytest -n auto tests

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m benchmarks.run $(if $(filter small,$(SIZE)),--small)

# Beside other programs of the same estimators.
bench-peers: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pyfixest diff-diff
	$(BIN)/python -m pip install --quiet --no-deps lifelines autograd autograd-gamma  # asks for pandas 2
	$(BIN)/python -m benchmarks.run --only peers,

mutants: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[mutants]'
	$(BIN)/python -m benchmarks.mutants

docs: $(STAMP)
	rm -rf docs/api docs/fiches  # pages of names that are gone
	$(BIN)/python docs/spelling.py
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

wheel: $(STAMP)
	$(BIN)/python -m tests.check_wheel

# The lowest declared versions, and every other Python from 3.12 on that is installed.
compat: $(STAMP)
	$(BIN)/python -m tests.check_compat

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,lint,docs,build,maps,dask]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) build dist docs/_build docs/api docs/gallery docs/made docs/fiches docs/api.md docs/catalogue.md docs/tables.md docs/sources.md docs/commands.md docs/messages.md docs/formulas.md docs/proofs.md barometre-demo
