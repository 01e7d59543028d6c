# install, demo, test, test-browser, test-cluster, check, docs, pictures, ui, ui-check, bench, bench-large, bench-gate (`make lock`
# renews the lock file).
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BENCH_WORK ?= /var/tmp/runlake-bench

.PHONY: install demo test test-browser test-cluster check docs pictures ui ui-check bench-tools bench bench-large bench-gate lock

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: install
	@exec $(BIN)/runlake demo --data data/lake --port 8000

test: install
	$(BIN)/pytest --numprocesses 2

# Needs Debian's chromium.
test-browser: install
	$(BIN)/pytest -m 'browser and not long' --numprocesses 2

# Needs Debian's postgresql.
test-cluster: install
	$(BIN)/pytest -m cluster --numprocesses 2

check: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The tables of the handbook, and its HTML.
docs: install
	$(BIN)/python tests/helpers/handbook.py

# Pictures of the web page for README and handbook, of a made-up history. Needs Debian's chromium.
pictures: install
	$(BIN)/python tests/helpers/pictures.py

# The web page, from ui/ into src/runlake/ui/static. These two need Node; nothing else does.
ui: ui/node_modules
	cd ui && npm run --silent build

ui-check: ui/node_modules
	cd ui && npm run --silent check

ui/node_modules: ui/package-lock.json
	cd ui && npm ci --ignore-scripts --silent
	touch $@

bench-tools: install
	@[ -d /usr/lib/postgresql ] && command -v wrk >/dev/null || \
	  { apt-get update -qq && apt-get install -y -qq postgresql wrk; } >/dev/null
	$(BIN)/pip install --quiet --no-cache-dir --disable-pip-version-check --no-deps -r benchmarks/requirements.txt

bench: bench-tools
	$(BIN)/python benchmarks/compare.py --sizes 1000000,10000000

# A second start goes on where the first one stopped. 35 GB of disk.
bench-large: bench-tools
	$(BIN)/python benchmarks/compare.py --sizes 1000000,10000000,100000000 --work $(BENCH_WORK)

bench-gate: bench-tools
	$(BIN)/python benchmarks/compare.py --sizes 1000000 --thin 0 --peers postgres,plain --gate --out /tmp/runlake-gate.md

lock:
	$(BIN)/pip-compile --quiet --extra client --extra service --extra cluster --extra dev --generate-hashes --allow-unsafe \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --strip-extras \
	  -o requirements.lock pyproject.toml
