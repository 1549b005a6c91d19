# make run   train on data/raw, score leads that training did not see, write the report
# make test  every check: lint, types, architecture, tests, notebook
# make lock  resolve the dependencies anew

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TARGET := subscribed
unexport PYTHONDONTWRITEBYTECODE
.PHONY: run test lint lock

run: $(READY)
	$(BIN)/leadml train
	$(BIN)/leadml score data/raw/bank.csv --held-out -o reports/scored.csv
	$(BIN)/leadml report
	@echo
	@echo "scores: reports/scored.csv"
	@echo "report: reports/$(TARGET).html"

test: lint
	$(BIN)/pytest --cov --cov-report=term:skip-covered

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
		--all-extras --group dev --upgrade --quiet --output-file requirements.lock

# uv comes from the lock too, its hash checked by pip; it then installs the rest in seconds.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "leadml needs Python 3.11 or newer, got " + sys.version.split()[0] + "; set PYTHON=")'
	$(PYTHON) -m venv --clear .venv
	sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p}' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $(READY)
