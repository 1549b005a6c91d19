# make run   train on data/raw, score leads that training did not see, write the report
# make cdnow who buys again: dated purchases of an early online shop
# make crm   a simulated CRM with three targets: dated leads, activities, outcomes
# make hubspot, make salesforce  a simulated export in the columns of that CRM, from the file to scores
# make year  two years of nightly scores and reviews of a simulated CRM, with a drift in it: long
# make test  every check: lint, types, architecture, tests, notebook
# make quick lint, types, architecture and the tests that are not slow: an answer in about a minute on 2 cores, the first time in one and a half
# make proof run every benchmark, keep its result, write docs/measured.md: hours; ONLY="bank compare" runs some
# make test-lowest  the tests that are not slow, with the lowest versions that pyproject.toml allows; needs Python 3.11 or 3.12
# make lock  resolve the dependencies anew, into three locks

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEV := .venv/.ready-dev
LOWEST := .venv-lowest/.ready
TARGET := subscribed
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --no-header --upgrade --quiet
unexport PYTHONDONTWRITEBYTECODE
.PHONY: run cdnow crm hubspot salesforce year test quick test-lowest proof lint lock

# Shortest first. WITH_NAME are the arguments of one.
PROOF := door bank cost truth store bots cuts rivals features explain review estimate drift parts compare \
	weak exploration gate exports advice replay replay_shop thousandth small newlevels intervals kills leaks leak_limits mutation \
	ablations steady
ONLY := $(PROOF)
PEERS :=
WITH_leaks := --seeds 10
WITH_compare = $(if $(PEERS),--peers $(PEERS))
WITH_explain = $(shell $(BIN)/python -c "import woodelf" 2>/dev/null && echo --peers)

run: $(READY)
	$(BIN)/leadml train
	$(BIN)/leadml score data/raw/bank.csv --held-out -o reports/scored.csv
	$(BIN)/leadml report
	@echo
	@echo "scores: reports/scored.csv"
	@echo "report: reports/$(TARGET).html"

cdnow: $(READY)
	$(BIN)/python examples/cdnow/make_tables.py
	cd examples/cdnow && ../../$(BIN)/leadml train && ../../$(BIN)/leadml score --as-of 1998-07-01 -o scored.csv \
		&& ../../$(BIN)/leadml report
	@echo
	@echo "scores: examples/cdnow/scored.csv"
	@echo "report: examples/cdnow/reports/purchase.html"

crm: $(READY)
	test -e examples/crm/data/simulation.json \
		|| $(BIN)/leadml simulate crm examples/crm/data --leads 30000 --months 30 --seed 1
	cd examples/crm && for target in sql customer churned; do \
		../../$(BIN)/leadml train --target $$target --set limits.allow_small=true \
		&& ../../$(BIN)/leadml score --target $$target --as-of 2026-06-29 -o scored_$$target.csv \
		&& ../../$(BIN)/leadml report --target $$target || exit 1; done
	@echo
	@echo "scores: examples/crm/scored_sql.csv, scored_customer.csv, scored_churned.csv"
	@echo "report: examples/crm/reports/sql.html, customer.html, churned.html"

hubspot salesforce: $(READY)
	test -e examples/$@/data/$@.csv || $(BIN)/python benchmarks/export_files.py $@.csv examples/$@/data
	cd examples/$@ && { test -e params.yaml || ../../$(BIN)/leadml init data/$@.csv; } && ../../$(BIN)/leadml train \
		&& ../../$(BIN)/leadml score data/$@.csv --open -o scored.csv && ../../$(BIN)/leadml report
	@echo
	@echo "scores: examples/$@/scored.csv"
	@echo "params: examples/$@/params.yaml"

year: $(READY)
	$(BIN)/python examples/crm/year.py

# $(call not_slow,BIN): the tests that are not slow, in two processes. Each collects its own half only, where those of
# pytest-xdist both collect all; the output of one comes after that of the other.
HALF := $(addprefix tests/,cli jobs leads params publish simulator stages)
define not_slow
$(1)/pytest --quiet -m "not slow" $(HALF) >$(1)/half.log 2>&1 & half=$$!; \
$(1)/pytest --quiet -m "not slow" tests $(HALF:%=--ignore=%); rest=$$?; \
wait $$half; half=$$?; cat $(1)/half.log; exit $$((half + rest))
endef

test: lint
	$(BIN)/pytest --numprocesses 2 --dist loadfile --cov --cov-report=term:skip-covered

# Beside the tests, because the first time, with nothing cached, checking types takes long.
quick: $(DEV)
	@$(MAKE) --no-print-directory lint >$(BIN)/lint.log 2>&1 & lint=$$!; \
	($(call not_slow,$(BIN))); tests=$$?; wait $$lint; lint=$$?; cat $(BIN)/lint.log; exit $$((lint + tests))

test-lowest: $(LOWEST)
	@$(call not_slow,.venv-lowest/bin)

proof: $(DEV)
	@failed=; \
	$(foreach name,$(ONLY),echo "== $(name)"; \
		$(BIN)/python benchmarks/$(name).py --keep $(WITH_$(name)) || failed="$$failed $(name)";) \
	$(BIN)/python docs/write_measured.py || failed="$$failed docs/measured.md"; \
	test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The first has what make run needs. The second adds all that tests need. The third has the lowest direct dependencies.
lock: $(READY)
	$(COMPILE) --generate-hashes --extra tracking --group install --output-file requirements.lock
	$(COMPILE) --generate-hashes --all-extras --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock
	$(COMPILE) --all-extras --resolution lowest-direct --output-file .venv/lowest.txt
	$(COMPILE) --generate-hashes --all-extras --group dev --constraint .venv/lowest.txt \
		--output-file requirements-lowest.lock

# $(call install,FOLDER,LOCK): uv comes from the lock too, its hash checked by pip; it then installs the rest in seconds.
define install
$(PYTHON) -m venv --clear $(1)
sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p}' $(2) > $(1)/uv.lock
$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1)/uv.lock
$(1)/bin/uv pip install --quiet --python $(1)/bin/python --require-hashes -r $(2)
$(1)/bin/uv pip install --quiet --python $(1)/bin/python --no-build-isolation --no-deps --editable .
@touch $(1)/.ready
endef

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "leadml needs Python 3.11 or newer, got " + sys.version.split()[0] + "; set PYTHON=")'
	$(call install,.venv,requirements.lock)

$(DEV): requirements-dev.lock $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $(DEV)

$(LOWEST): requirements-lowest.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info[:2] in {(3, 11), (3, 12)} else "the lowest versions have wheels for Python 3.11 and 3.12 only, got " + sys.version.split()[0] + "; set PYTHON=")'
	$(call install,.venv-lowest,requirements-lowest.lock)
