# Two commands for a newcomer: `make demo` and `make test`. The rest is for those who change the code.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
AUDITED ?= $(VENV)
# The suite starts some hundred processes: what one of them has compiled, the next need not.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-bare lint fix bench soak crash sim audit clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: $(VENV)/installed   ## sell a crate on this machine, in a temporary folder
	$(BIN)/commensal demo

test: $(VENV)/installed lint   ## the whole suite, on SQLite and PostgreSQL
	$(BIN)/pytest -n 2 --dist worksteal

test-bare: $(VENV)/installed   ## the core alone: no bundled plugin is found, on SQLite
	COMMENSAL_TEST_PLUGINS=none $(BIN)/pytest -n 2 --dist worksteal tests/core -k "not postgresql"

lint: $(VENV)/installed
	$(BIN)/ruff check core federation plugins tests
	$(BIN)/ruff format --check core federation plugins tests
	$(BIN)/mypy

fix: $(VENV)/installed
	$(BIN)/ruff check --fix core federation plugins tests
	$(BIN)/ruff format core federation plugins tests

bench: $(VENV)/installed   ## figures with their machine and versions; not part of the suite
	$(BIN)/python -m tests.benchmarks.bench
	for one in signing inbox trade flood; do $(BIN)/python -m tests.benchmarks.federation_$$one || exit 1; done

soak: $(VENV)/installed   ## an instance under load for MINUTES (10): does anything grow?
	$(BIN)/python -m tests.benchmarks.soak

crash: $(VENV)/installed   ## 2,000 kills while people shop; `make crash SEED=… KILLS=…` does it again
	$(BIN)/python -m tests.crash.campaign

sim: $(VENV)/installed   ## 10,000 schedules of trading instances; `make sim SEED=…` tells one, `MUTANTS=1` plants bugs
	$(BIN)/python -m tests.simulation.campaign

audit: $(VENV)/installed   ## which installed components have known weaknesses, and which are old; asks PyPI. Of a server: AUDITED=/opt/commensal/venv
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	$(AUDITED)/bin/python -m pip list --outdated --disable-pip-version-check
	PIPAPI_PYTHON_LOCATION=$(AUDITED)/bin/python $(VENV)/audit/bin/pip-audit --skip-editable

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
