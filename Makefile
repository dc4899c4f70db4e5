# `make app` and `make test` do all the set-up; the README shows the same lines without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# ARGS="-n 2" lets two workers take files of tests side by side; each may need 3 GB of memory.
PYTEST := $(BIN)/python -m pytest

.PHONY: app test e2e check format bench clean

app: $(VENV)/.run-time-installed  ## Start the app on the bundled model and annotations.db.
	$(BIN)/python app.py $(ARGS)

test: $(VENV)/.tests-installed  ## Run all tests; those in a browser are skipped without Chromium.
	$(PYTEST) $(ARGS)

e2e: $(VENV)/.tests-installed  ## Run the tests in Chromium only.
	$(PYTEST) tests/e2e $(ARGS)

check: $(VENV)/.tests-installed  ## Format, lint, types and import rules.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.tests-installed  ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.tests-installed  ## Measure speed; quality needs data: python -m benchmarks.quality.
	$(BIN)/python -m benchmarks.crf
	$(BIN)/python -m benchmarks.prediction
	$(BIN)/python -m benchmarks.train

clean:  ## Remove the virtual environment and caches; keeps annotations.db and models.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v in ((3, 11), (3, 12)) \
		else "expected Python 3.11 or 3.12, got %d.%d; try make PYTHON=python3.11" % v)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.run-time-installed: $(VENV)/.created requirements.txt constraints.txt
	@echo "Installing into $(VENV): some minutes at the first time ..."
	$(PIP_INSTALL) -r requirements.txt
	touch $@

$(VENV)/.tests-installed: $(VENV)/.run-time-installed requirements-dev.txt requirements-encoders.txt
	$(PIP_INSTALL) -r requirements-dev.txt
	touch $@
