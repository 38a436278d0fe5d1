# Everything from a bare machine: Python 3.11 or newer and make. `make` alone lists what there is.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SCENARIO ?=
PARTS ?=
ROUNDS ?=
ROWS ?=
PYTHON ?=
LIVE_JOBS ?= 2

PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 $(BIN)/pip

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast golden pictures check site bench matrix soak chaos audit lock clean

help:
	@echo 'make demo      a call from room to agent on a real LiveKit server, and its timeline'
	@echo 'make install   .venv with the tracer and all it needs'
	@echo 'make test      all tests, on a real LiveKit server and a real Jaeger'
	@echo 'make test-fast the tests that need neither, without the slow ones: well under a minute'
	@echo 'make golden    the pictures in tests/golden anew, to be looked at in the diff'
	@echo 'make pictures  the pictures in docs/ anew, of terminal and page, to be looked at'
	@echo 'make check     ruff, mypy and all tests'
	@echo 'make site      the documentation as a site, in build/site; a link that leads nowhere fails it'
	@echo 'make bench     what tracing costs: a job's start, the observer, 10,000 rooms, and spans a second beside Jaeger'
	@echo 'make matrix    a call with other versions of livekit-agents, livekit-server and Python; writes docs/versions.md'
	@echo 'make soak      hours of calls of which why has to say the right thing; writes docs/soak.md'
	@echo 'make chaos     kills, full disks, lost webhooks and strangers, with a ledger outside; writes docs/chaos.md'
	@echo 'make audit     whether a weakness is known of any package in requirements.lock'
	@echo 'make lock      requirements.lock anew, from pyproject.toml'
	@echo 'make clean     removes .venv and caches; built servers stay in the user cache'

install: $(READY)

demo: $(READY)
	@$(BIN)/tracer demo $(SCENARIO)

# Live tests mostly wait: several side by side, each process of pytest-xdist with a LiveKit server of its own.
test: $(READY)
	@$(BIN)/python -m tests.live.programs
	@$(BIN)/python -m pytest -n $(LIVE_JOBS) --dist loadgroup

test-fast: $(READY)
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --ignore=tests/live -m 'not slow'

golden: $(READY)
	@$(BIN)/python -m pytest -q tests/golden --update-golden

# The scenarios' pictures are of calls that are made for them.
pictures: $(READY)
	@$(BIN)/python -m docs.pictures
	@$(BIN)/python -m tests.pictures

check: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

site: $(READY)
	@$(BIN)/python -m docs.website

bench: $(READY)
	@$(BIN)/python tests/bench/job_start.py
	@$(BIN)/python tests/bench/observer.py
	@$(BIN)/python -m tests.bench.stats
	@$(BIN)/python -m tests.bench.ingest
	@$(BIN)/python -m tests.bench.through
	@$(BIN)/python -m tests.bench.reading
	@$(BIN)/python -m tests.bench.page

# PARTS chooses: recordings scenarios healthy bursts.
# Each version in an environment of its own, in the user cache; three livekit-servers are built there too, once.
# ROWS chooses, by the names in docs/versions.md; without it, all.
matrix: $(READY)
	@MATRIX='$(or $(ROWS),all)' $(BIN)/python -m pytest -q tests/live/test_matrix.py

soak: $(READY)
	@$(BIN)/python -m tests.soak $(PARTS)

# ROUNDS: how often the receiver is killed. PARTS chooses: kills shared webhooks disk strangers.
chaos: $(READY)
	@nice -n 5 $(BIN)/python -m tests.chaos $(PARTS) $(if $(ROUNDS),--rounds $(ROUNDS))

# The interpreter: PYTHON if given, else the first one that fits. Debian has the module venv in a package of its own.
$(READY): requirements.lock pyproject.toml
	@fits='import sys; sys.exit(sys.version_info < (3, 11))'; found=; chosen=; \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	    $$python -c "$$fits" 2>/dev/null || continue; \
	    found=$$python; \
	    if $$python -c 'import ensurepip, venv' 2>/dev/null; then chosen=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo 'No Python 3.11 or newer found: install one, or name it with make PYTHON=/path/to/python3' >&2; exit 1; \
	elif [ -z "$$chosen" ]; then \
	    echo "$$found has no venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; \
	fi; \
	$(BIN)/python -c "$$fits" 2>/dev/null || { echo "Making $(VENV) with $$chosen"; $$chosen -m venv --clear $(VENV); }
	@echo "Installing $$(grep -c '==' requirements.lock) packages into $(VENV)"
	@{ $(PIP) install --require-hashes -r requirements.lock 2>&1; echo "exit $$?"; } | { \
	    count=0; \
	    while read -r word rest; do \
	        case "$$word" in \
	            Collecting) count=$$((count + 1)); [ $$((count % 10)) -ne 0 ] || echo "  $$count: $${rest%% *}" ;; \
	            Installing) echo '  unpacking' ;; \
	            ERROR:|WARNING:) echo "$$word $$rest" ;; \
	            exit) exit "$$rest" ;; \
	        esac; \
	    done; }
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The lock holds the build backend too, so that nothing is installed that isn't in it.
lock:
	@tool=$$(mktemp -d) && trap 'rm -rf "$$tool"' EXIT && python3 -m venv "$$tool" && "$$tool/bin/pip" install --quiet uv && \
	{ echo '# Made by `make lock`: every package with its hashes, for Python 3.11 and newer on any platform.'; \
	  printf 'hatchling>=1.25\neditables\n' | "$$tool/bin/uv" pip compile --quiet --universal --generate-hashes \
	    --python-version 3.11 --extra dev --no-emit-index-url --no-annotate --no-header pyproject.toml -; } > "$$tool/lock" && \
	cp "$$tool/lock" requirements.lock

# By OSV, which is asked for each package: a mirror of the package index knows no weaknesses, and answers as if there were none.
ADVISORIES ?= https://api.osv.dev/v1/query
ASKED := {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "1.0"}
audit:
	@reason=$$(python3 -c 'import sys, urllib.request as web; web.urlopen(sys.argv[1], sys.argv[2].encode(), 10)' \
	    $(ADVISORIES) '$(ASKED)' 2>&1 | tail -n 1); \
	if [ -n "$$reason" ]; then echo "requirements.lock not audited: no answer from $(ADVISORIES) ($$reason)"; exit 0; fi; \
	tool=$$(mktemp -d) && trap 'rm -rf "$$tool"' EXIT && python3 -m venv "$$tool" && \
	"$$tool/bin/pip" install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3' && \
	"$$tool/bin/pip-audit" -r requirements.lock --disable-pip --require-hashes --strict --progress-spinner off \
	    -s osv --osv-url $(ADVISORIES)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
