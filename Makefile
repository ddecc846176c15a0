# make demo, make test-fast, make test-browsers, make test. Each does all its own set-up.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

# make bench -- --json, or BENCH=--json make bench: figures for machines.
BENCH ?= $(filter --json,$(MAKECMDGOALS))

# make demo -- --stay, or DEMO_STAY=1 make demo: afterwards everything runs on, with the page.
STAY := $(if $(DEMO_STAY),--stay,$(filter --stay,$(MAKECMDGOALS)))

.PHONY: demo dev test test-fast test-browsers coverage player-table lint web fuzz test-supabase test-containers \
  bench bench-capacity bench-starvation bench-page bench-preview bench-growth package clean --stay --json

demo: $(READY)
	$(BIN)/python -m parcours_dev.player_build
	$(BIN)/parcours demo $(STAY)

--stay --json:
	@:

dev: $(READY)
	$(BIN)/parcours dev

test: $(READY)
	$(MAKE) --jobs 2 --output-sync=target lint web
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore tests/browser
	$(MAKE) test-browsers

# While you work: no whole deployments, no browsers, and nothing that takes long by itself.
FAST := --ignore tests/browser --ignore tests/end_to_end --ignore tests/dev -p no:schemathesis \
  -m "(unit or sql or api) and not slow"

test-fast: lint
	$(BIN)/pytest --quiet --numprocesses 2 --dist loadfile --no-loadscope-reorder $(FAST)

# How much of the product the quick tests reach. Nothing depends on the figure.
coverage: $(READY)
	$(BIN)/pytest --quiet --numprocesses 2 --dist loadfile --no-loadscope-reorder $(FAST) \
	  --cov parcours_xl --cov-report term:skip-covered

# The page in Chromium, Firefox ESR and WebKitGTK. What is heard in a browser is measured as it
# sounds, and has the machine to itself. RERUN in tests/conftest.py: once more, when it was spoilt.
test-browsers: $(READY)
	$(BIN)/pytest tests/browser

# The table of docs/player.md, measured: STOPS and PAUSES say how many each engine is tried with.
player-table: $(READY)
	$(BIN)/python -m tests.browser.table $(if $(STOPS),--stops $(STOPS)) $(if $(PAUSES),--pauses $(PAUSES))

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The page: types, lint, its own tests, and the build.
web: $(READY)
	$(BIN)/python -m parcours_dev.player_build --check

# 120,000 requests, described and broken, to the functions: 10,000 of each kind to each.
fuzz: $(READY)
	FUZZ_EXAMPLES=10000 $(BIN)/pytest --numprocesses 2 --maxschedchunk 1 \
	  tests/end_to_end/test_openapi.py

# The contract tests, the suites that need no SQL, and the demo, on a real project: SUPABASE_URL,
# SUPABASE_ANON_KEY and SUPABASE_SERVICE_ROLE_KEY say which. What they make there, they remove.
test-supabase: $(READY)
	@$(BIN)/python -m parcours_dev.player_build
	@$(BIN)/python -m tests.real

# The SQL suite on PostgreSQL in a container: PARCOURS_IMAGE, else Supabase's own image.
test-containers: $(READY)
	@$(BIN)/python -m tests.containers

# How quick the functions are, beside PostgREST; what memory the service takes. BENCH=--json.
bench: $(READY)
	@$(BIN)/python -m benchmarks latency $(BENCH)

# 1,000 runs in hand: one worker, then four.
bench-capacity: $(READY)
	@$(BIN)/python -m benchmarks capacity $(BENCH)

# The engine for other pages: build/parcours-xl-<version>.tgz.
package: $(READY)
	@$(BIN)/python -m parcours_dev.player_package

# A first visit to the page at 400 kbit/s and 400 ms, in Chromium.
bench-page: $(READY)
	@$(BIN)/python -m benchmarks page $(BENCH)

# Tap to first preview at documented timings, FIRST_SEGMENT_EARLY off and on.
bench-preview: $(READY)
	@$(BIN)/python -m benchmarks preview $(BENCH)

# What the database reads once it holds 100,000 finished runs. RUNS says how many: RUNS=10000.
bench-growth: $(READY)
	@$(BIN)/python -m benchmarks growth $(BENCH) $(if $(RUNS),--runs $(RUNS))

# One run alone, then beside 25 users who forge callbacks.
bench-starvation: $(READY)
	@$(BIN)/python -m benchmarks starvation $(BENCH)

$(READY): pyproject.toml backend/parcours_dev/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "parcours: Python 3.11 or newer is needed (PYTHON=python3.x make …)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "parcours: Python's venv module is needed (Debian: python3-venv)" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev]' --editable ./backend/parcours_dev
	@touch $(READY)

clean:
	rm -rf .venv .parcours web/node_modules backend/parcours_xl/player/site
