# Two commands for a newcomer: `make demo` and `make test`. The rest is for those who change the code.
# CI (.ci/run) runs `make test` and `make test-rest`, and a part of `make test-oldest`.
PYTHON ?= python3
OLDEST ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin
AUDITED ?= $(VENV)
COVERED ?=  # `make test COVERED=--cov`: the lines that tests run in their own processes; see .ci/run
# Campaigns and the suite start hundreds of processes: what one of them has compiled, the next need not.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo measures ways quick test test-sqlite branches test-rest test-postgresql-and-long test-postgresql test-long test-oldest test-wheel test-bare test-debian upgrades lint generated fix bench pictures page-pictures soak crash race sim lies carriages network books costs audit weaknesses constraints release clean

# Who only wants to look needs a third of what the suite needs.
$(VENV)/demo: pyproject.toml
	@echo "Making the environment $(VENV), of 380 MB: half a minute or longer, most of it downloads."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[pdf,stripe]'
	touch $@

$(VENV)/installed: pyproject.toml
	@echo "Making the environment $(VENV), of 950 MB: a minute or two, most of it downloads."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $(VENV)/demo $@

demo: $(VENV)/demo   ## sell a crate on this machine, in a temporary folder
	$(BIN)/commensal demo

test: $(VENV)/installed   ## lint, types, and the suite on SQLite, but for what takes long
	@echo "This takes about nine minutes on two cores, and less on four. PostgreSQL and what takes longer follow in: make test-rest"
	$(MAKE) --no-print-directory -j2 lint test-sqlite

# One more than there are cores: tests wait for servers, commands and disks, too.
WORKERS ?= $(shell expr 1 + "$$(getconf _NPROCESSORS_ONLN)")
test-sqlite: $(VENV)/installed
	$(BIN)/pytest -n $(WORKERS) --maxprocesses 5 --dist worksteal -m "not long" -k "not postgresql" $(COVERED)

quick: $(VENV)/installed   ## within 90 seconds: lint, and tests on SQLite, those of what was changed first
	$(BIN)/ruff check core federation plugins tests
	$(BIN)/ruff format --check core federation plugins tests
	$(BIN)/pytest -n 2 --dist load -q -m "not long" -k "not postgresql" --quick 60

# Of the whole suite, branches would cost a third of its time; here they cost seconds.
PRICES_AND_STOCK = $(addprefix tests/core/test_,$(addsuffix .py,pricing phases vat vat_dates upper_bound unit_price take_stock \
	lots travelling_stock low_stock journal))
branches: $(VENV)/installed   ## the branches of prices and stock that their own tests do not take
	COVERAGE_FILE=$(VENV)/branches $(BIN)/pytest -q -k "not postgresql" --cov=commensal.pricing --cov=commensal.stock \
		--cov-branch --cov-report=term-missing:skip-covered $(PRICES_AND_STOCK)

# In one run: each worker collects eleven thousand tests before its first. One more than two cores: these tests wait for
# other processes, of PostgreSQL, servers and browsers. What remains of two cores goes to the wheel, which downloads.
test-rest: $(VENV)/installed   ## what `make test` leaves out: about twenty minutes on two cores
	$(MAKE) --no-print-directory -j2 test-wheel test-postgresql-and-long

test-postgresql-and-long: $(VENV)/installed
	$(BIN)/pytest -n 3 --dist worksteal -m "long or postgresql"

test-postgresql: $(VENV)/installed   ## the suite on a real PostgreSQL, which comes in a wheel
	$(BIN)/pytest -n 3 --dist worksteal -m "not long" -k postgresql

test-long: $(VENV)/installed   ## crashes, schedules of trading instances, browsers under faults
	$(BIN)/pytest -n 3 --dist worksteal -m long

# The oldest Python that is here, and of each library the lowest version that pyproject.toml allows. CI tries the tests
# that use the most libraries.
OLDEST_TESTS = tests/core tests/plugins
$(VENV)-oldest/installed: pyproject.toml
	@command -v $(OLDEST) >/dev/null || echo "There is no $(OLDEST) on this machine: the lowest versions are tried with $(PYTHON)."
	$$(command -v $(OLDEST) || echo $(PYTHON)) -m venv --clear $(VENV)-oldest
	$(VENV)-oldest/bin/pip install --quiet --disable-pip-version-check uv
	$(VENV)-oldest/bin/uv pip compile --quiet --no-deps --no-header --no-annotate --resolution lowest-direct \
		--python $(VENV)-oldest/bin/python --extra pdf --extra postgresql --extra stripe pyproject.toml \
		| sed 's/\[[^]]*\]//' > $(VENV)-oldest/lowest.txt
	$(VENV)-oldest/bin/uv pip install --quiet --python $(VENV)-oldest/bin/python -c $(VENV)-oldest/lowest.txt -e '.[dev]'
	touch $@

test-oldest: $(VENV)-oldest/installed   ## the core and the bundled plugins on the lowest versions, on SQLite: about eight minutes on two cores
	$(VENV)-oldest/bin/pytest -n 2 --dist worksteal -m "not long" -k "not postgresql" $(OLDEST_TESTS)

test-wheel:   ## the wheel alone, in an empty environment: init, check, the demo's story, and a plugin of one's own
	$(PYTHON) -m venv --clear $(VENV)-wheel
	rm -rf $(VENV)-wheel/built
	$(VENV)-wheel/bin/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(VENV)-wheel/built .
	$(VENV)-wheel/bin/pip install --quiet --disable-pip-version-check $(VENV)-wheel/built/*.whl
	cd $(VENV)-wheel && bin/commensal init --instance val --name Val --base-url http://127.0.0.1:8000 --language en \
		--timezone Europe/Paris --sender hello@val.example
	cd $(VENV)-wheel && bin/commensal check --instance val && bin/commensal demo --check
	cd $(VENV)-wheel && bin/pip install --quiet --disable-pip-version-check "$$(ls ./built/*.whl)[testing]" \
		&& rm -rf commensal-notes && bin/commensal new-plugin notes --table \
		&& bin/commensal plugin install ./commensal-notes --instance val && bin/commensal check --instance val \
		&& bin/pytest -q -p no:cacheprovider commensal-notes

test-bare: $(VENV)/installed   ## the core alone: no bundled plugin is found, on SQLite
	COMMENSAL_TEST_PLUGINS=none $(BIN)/pytest -n 2 --dist worksteal tests/core -k "not postgresql"

test-debian: $(VENV)/installed   ## installs and upgrades on a whole Debian with systemd, and builds the container: ten minutes, as root
	COMMENSAL_TEST_DEBIAN=$(VENV)/debian $(BIN)/pytest -s tests/core/test_debian.py

upgrades: $(VENV)/installed   ## 52 weekly releases in a row on each database, and a kill at each step; `make upgrades WEEKS=…`
	COMMENSAL_TEST_UPGRADES=$(or $(WEEKS),52) $(BIN)/pytest -s tests/core/test_replacing_killed.py tests/core/test_weekly_releases.py

lint: $(VENV)/installed
	$(BIN)/ruff check core federation plugins tests
	$(BIN)/ruff format --check core federation plugins tests
	$(BIN)/mypy

generated: $(VENV)/installed   ## writes anew what is made from the code: the pages of hooks and messages, vectors, a stub
	$(BIN)/python -m tests.generated

fix: $(VENV)/installed
	$(BIN)/ruff check --fix core federation plugins tests
	$(BIN)/ruff format core federation plugins tests

bench: $(VENV)/installed   ## figures with their machine and versions; not part of the suite
	$(BIN)/python -m tests.benchmarks.bench
	for one in signing inbox trade flood; do $(BIN)/python -m tests.benchmarks.federation_$$one || exit 1; done

pictures: $(VENV)/installed   ## draws the pictures of the README anew
	mkdir -p core/guides/pictures
	COMMENSAL_PICTURES=$(CURDIR)/core/guides/pictures $(BIN)/pytest -q tests/browser/test_pictures.py

page-pictures: $(VENV)/installed   ## every page of the office and the shop as a picture, into build/pictures
	mkdir -p build/pictures
	COMMENSAL_PICTURES=$(CURDIR)/build/pictures $(BIN)/pytest -q tests/browser/test_office.py tests/browser/test_pages.py \
		-k "(every_page_fits_and or a_telephone_and) and not without"

measures: $(VENV)/installed   ## files, lines, imports, and what an order's way needs of the core
	@$(BIN)/python -m tests.measures

ways: $(VENV)/installed   ## files and calls that an order, an OrderUpdate and a form of the office pass (Python 3.12)
	$(BIN)/python -m tests.ways

soak: $(VENV)/installed   ## an instance under load for MINUTES (10): does anything grow?
	$(BIN)/python -m tests.benchmarks.soak

crash: $(VENV)/installed   ## 2,000 kills while people shop; `make crash SEED=… KILLS=…` does it again
	$(BIN)/python -m tests.crash.campaign

race: $(VENV)/installed   ## 420 orders at four instances that are killed, behind bad lines, with wrong clocks; `make race ORDERS=… SEED=… FAULTS=…`
	$(BIN)/python -m tests.federation.race

network: $(VENV)/installed   ## a week of trade of many instances: machines off, wrong clocks, bad lines; `make network SEED=… HUBS=…`
	SEED=$(or $(SEED),1) HUBS=$(or $(HUBS),20) $(BIN)/python -m tests.benchmarks.federation_network

books: $(VENV)/installed   ## 10,000 weeks of a hub, whose books are kept a second time; `make books WEEKS=…` keeps fewer
	COMMENSAL_TEST_BOOKS=$(or $(WEEKS),10000) $(BIN)/pytest -n auto -k the_ledger_says tests/plugins/test_bookkeeping.py

sim: $(VENV)/installed   ## 10,000 schedules of trading instances; `make sim SEED=…` tells one, `MUTANTS=1` plants bugs
	$(BIN)/python -m tests.simulation.campaign

costs: $(VENV)/installed   ## MINUTES (10) of a member's worst files while others order, on both databases; `make costs SEED=…`
	$(BIN)/python -m tests.security.costs_campaign

lies: $(VENV)/installed   ## 10,000 schedules of a partner that lies about money with its real keys; `make lies SEED=… SCHEDULES=…`
	$(BIN)/python -m tests.simulation.lies

carriages: $(VENV)/installed   ## 10,000 schedules of pooled transport: cuts, crashes, restores, lying carriers and guests
	COMMENSAL_TEST_CARRIAGES=3334 $(BIN)/python -m pytest -q -n auto -k "both_homes and sqlite" tests/federation/test_carriage_schedules.py

audit: weaknesses   ## known weaknesses, licences, and which components are old; asks the index of packages. Of a server: AUDITED=/opt/commensal/venv
	$(AUDITED)/bin/python -m pip list --outdated --disable-pip-version-check

weaknesses: $(VENV)/installed   ## the same without what is old
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python core/release/audit.py $(VENV)/audit/bin/pip-audit $(abspath $(AUDITED))/bin/python

constraints: $(VENV)/installed   ## the newest versions of what servers install, with hashes; then the suite with them
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--extra pdf --extra postgresql --extra stripe --output-file core/release/constraints.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement core/release/constraints.txt
	$(MAKE) --no-print-directory test test-rest

release: $(VENV)/installed   ## checks, version, changelog, tag; wheel, sdist, components, hashes. TRIAL=1 keeps nothing
	$(BIN)/python core/release/release.py $(if $(TRIAL),--trial) $(if $(CHECKS),--checks '$(CHECKS)')

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-wheel .pytest_cache .mypy_cache .ruff_cache
