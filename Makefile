# Two commands for a newcomer: `make demo` and `make test`. Each sets itself up and may be run again.

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: help demo test check format bench soak clean

help:  ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.ready  ## Five markets on the embedded exchange, traded for half a minute; leaves them running
	@sh ops/demo.sh $(BIN)/fleet

test: check  ## Everything but the benchmarks
	$(BIN)/pytest

check: $(VENV)/.ready-dev  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready-dev  ## Lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready-dev  ## The benchmarks, as a table, each beside its yardstick
	$(BIN)/python -m tests.bench

soak: $(VENV)/.ready-dev  ## The long runs, an hour and more, and a thousand new examples of each property
	HYPOTHESIS_PROFILE=search $(BIN)/pytest tests/property
	$(BIN)/pytest tests/soak -o addopts="--import-mode=importlib -p no:cacheprovider" -v -s

clean:  ## Remove the virtual environment and the caches
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The dev lock holds the run-time lock's versions and more, so either stamp serves `demo`.
$(VENV)/.ready: requirements.lock pyproject.toml
	@test -e $(VENV)/.ready-dev || sh ops/setup.sh $(VENV) requirements.lock "$(UV)"
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml
	@sh ops/setup.sh $(VENV) requirements-dev.lock "$(UV)"
	@touch $@ $(VENV)/.ready
