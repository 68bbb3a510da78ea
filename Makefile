# Each target works in a new clone: `make demo`, `make test` and `make check` first create .venv.
PYTHON ?= python3
PIP_FLAGS ?=
BIN := .venv/bin

.PHONY: demo test check docs bench clean

demo: .venv/ready
	$(BIN)/python -m sklearn_gd --figure demo.png

test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/docs-ready
	OMP_NUM_THREADS=1 $(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "The site is docs/_build/html/index.html"

bench: .venv/ready
	$(BIN)/python -m benchmarks

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "sklearn_gd needs Python 3.11 or later, and '$(PYTHON)' is older or missing. Try: make demo PYTHON=python3.11" >&2; \
		exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_FLAGS) --quiet -c constraints.txt --editable '.[dev]'
	@touch $@

.venv/docs-ready: .venv/ready
	$(BIN)/python -m pip install $(PIP_FLAGS) --quiet -c constraints.txt --editable '.[docs]'
	@touch $@

clean:
	rm -rf .venv demo.png docs/_build docs/gallery docs/generated
