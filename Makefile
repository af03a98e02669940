# `make run` opens ConvScope; `make test` is everything CI runs. Both set up .venv first.
# Windows without make: see README.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check lint core app browser bench soak pretrain clean

run: .venv/ready
	$(BIN)/streamlit run app.py

test: lint core app browser

# The fast part, for while you work.
check: lint
	$(BIN)/python -m pytest tests/core -x --ignore=tests/core/lab -m "not slow and not soak"

lint: .venv/ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Three stages: the core's tests import Keras, the others must not. Each in two processes, and each
# file in one of them: half of the time is TensorFlow starting, or a page that runs.
core: .venv/ready-dev
	$(BIN)/python -m pytest tests/core -n 2 --dist loadfile --no-loadscope-reorder

app: .venv/ready-dev
	$(BIN)/python -m pytest tests/app -n 2 --dist loadfile --no-loadscope-reorder

browser: .venv/ready-dev
	$(BIN)/python -m pytest tests/browser -n 2 --dist loadfile --no-loadscope-reorder

# Speed, run by hand; the dated results are committed under benchmarks/results/.
bench: .venv/ready-dev
	$(BIN)/python -m benchmarks.probe
	$(BIN)/python -m benchmarks.pictures
	$(BIN)/python -m benchmarks.pen_up
	$(BIN)/python -m benchmarks.moment
	$(BIN)/python -m benchmarks.network_view
	$(BIN)/python -m benchmarks.insight
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.start_up
	$(BIN)/python -m benchmarks.classroom
	$(BIN)/python -m benchmarks.peers

# Endurance, run by hand.
soak: .venv/ready-dev
	$(BIN)/python -m pytest tests/core -m soak
	$(BIN)/python -m pytest tests/browser -m soak
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.classroom --find --seconds 60
	$(BIN)/python -m benchmarks.classroom --visits 200
	$(BIN)/python -m benchmarks.course
	$(BIN)/python -m benchmarks.lessons
	$(BIN)/python -m benchmarks.builders
	$(BIN)/python -m benchmarks.hostile

pretrain: .venv/ready
	$(BIN)/python -m cnn_core.training.pretrain

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "ConvScope needs Python 3.11 to 3.13; try: make $(or $(MAKECMDGOALS),run) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt requirements-cluster.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache
