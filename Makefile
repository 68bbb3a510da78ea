# Each target works in a new clone: `make demo`, `make test` and `make check` first create .venv.
PYTHON ?= python3
PIP_FLAGS ?=
BIN := .venv/bin
OLDEST := .venv-oldest
NEW_PIP := 'pip>=25.1'  # the first that knows dependency groups
BENCH ?=  # arguments of `make bench`, such as BENCH=--quick
TESTS ?=  # of `make coverage` and `make oldest`: the tests to run, all by default

.PHONY: demo test check docs bench coverage oldest package clean

demo: .venv/ready
	$(BIN)/python -m sklearn_gd --figure demo.png

test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

check: .venv/ready
	$(BIN)/pre-commit run --all-files --show-diff-on-failure --color never

docs: .venv/docs-ready
	OMP_NUM_THREADS=1 $(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "The site is docs/_build/html/index.html"

bench: .venv/bench-ready
	$(BIN)/python -m benchmarks $(BENCH)

coverage: .venv/coverage-ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --cov $(TESTS)

oldest: $(OLDEST)/ready
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -n auto $(TESTS)

package: .venv/ready
	.ci/package $(BIN)/python

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "sklearn_gd needs Python 3.11 or later, and '$(PYTHON)' is older or missing. Try: make demo PYTHON=python3.11" >&2; \
		exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(NEW_PIP)
	$(BIN)/python -m pip install $(PIP_FLAGS) --quiet -c constraints.txt --editable '.[all]' --group dev
	@touch $@

.venv/%-ready: .venv/ready
	$(BIN)/python -m pip install $(PIP_FLAGS) --quiet -c constraints.txt --group $*
	@touch $@

$(OLDEST)/ready: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet $(NEW_PIP)
	$(OLDEST)/bin/python -m pip install $(PIP_FLAGS) --quiet -c constraints-oldest.txt --editable '.[all]' --group test
	@touch $@

clean:
	rm -rf .venv $(OLDEST) dist demo.png docs/_build docs/gallery docs/generated
