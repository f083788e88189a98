# Every target does all the set-up it needs; set-up is skipped while nothing it depends on has changed.
#
#   PYTHON   the interpreter for the virtual environment (3.11 or newer)
#   TORCH    pip arguments that choose another torch, for example TORCH=torch==2.13.0 for the registry's default build,
#            which is a CUDA build on Linux, or TORCH="torch==2.13.0+cpu --extra-index-url ADDRESS". Said once, it is
#            kept until "make clean" or "make setup TORCH=", which go back to the CPU build.
#   TESTS    what "make test" runs (a file, a folder, or any pytest arguments)
#   JOBS     pytest processes
#   DEMO     "short" for about a minute of training

PYTHON ?= python3
TESTS ?=
JOBS ?= 2
DEMO ?=

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
TORCH_PIN := torch==2.13.0
TORCH_ASKED := $(shell cat $(VENV)/torch-asked 2>/dev/null)
TORCH ?= $(TORCH_ASKED)
export TORCH
READY := $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help setup test lint format docs demo fuzz bench clean FORCE

help: ## list the targets
	@sed -n $(if $(wildcard benchmarks/run.py),,-e '/^bench:/d') -e 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "  %-12s %s\n", $$1, $$2 }'

setup: $(READY) ## create .venv with a CPU torch and the project in editable mode

ifneq ($(strip $(TORCH)),$(strip $(TORCH_ASKED)))
$(READY): FORCE
endif

$(READY): Makefile pyproject.toml fusion/fusion/_version.py
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $(READY)
	@echo "setting up $(VENV): torch, then the project and what it needs (minutes the first time)"
	@if [ -n "$$TORCH" ]; then \
		$(PIP) install $$TORCH; \
	elif $(PIP) install "$(TORCH_PIN)+cpu" >$(VENV)/torch-install.log 2>&1; then \
		:; \
	elif [ "$$(uname -s)" != Linux ]; then \
		$(PIP) install $(TORCH_PIN); \
	else \
		tail -n 3 $(VENV)/torch-install.log >&2; \
		echo "No CPU build of torch ($(TORCH_PIN)+cpu) is on the package indexes pip is set up with." >&2; \
		echo "Either name an index that has it, as PyTorch's installation page does for \"CPU\":" >&2; \
		echo "    make $(or $(MAKECMDGOALS),setup) TORCH=\"$(TORCH_PIN)+cpu --extra-index-url ADDRESS\"" >&2; \
		echo "or accept the default build, which brings several GB of CUDA libraries:" >&2; \
		echo "    make $(or $(MAKECMDGOALS),setup) TORCH=$(TORCH_PIN)" >&2; \
		exit 1; \
	fi
	@$(RUN) -c 'from importlib.metadata import version; print("torch==" + version("torch"))' >$(VENV)/torch-constraint
	@$(PIP) install -qq --constraint $(VENV)/torch-constraint --editable '.[test,lint]'
	@printf '%s\n' "$$TORCH" >$(VENV)/torch-asked
	@echo "ready: $$($(RUN) --version), $$(cat $(VENV)/torch-constraint), project installed in $(VENV)"
	@touch $(READY)

test: $(READY) ## run the tests
	$(RUN) -m pytest -n $(JOBS) $(TESTS)

lint: $(READY) ## ruff check, ruff format --check, pyright
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(RUN) -m pyright

format: $(READY) ## rewrite the sources as "make lint" wants them
	$(RUN) -m ruff check --fix-only .
	$(RUN) -m ruff format .

docs: $(READY) ## rebuild the gallery in docs/ from the test corpus, and the output that pages show
	PYTHONPATH=tests $(RUN) -m corpus.gallery
	PYTHONPATH=tests $(RUN) -m pages docs/how-the-compiler-thinks.md docs/diagrams.md

demo: $(READY) ## the main job: draw, compile, train, run dynamics, report (DEMO=short for a minute of training)
ifeq ($(DEMO),)
	$(RUN) -m fusion_models.demo
else ifeq ($(DEMO),short)
	$(RUN) -m fusion_models.demo --short
else
	$(error DEMO=$(DEMO) is not known: leave it out, or say DEMO=short)
endif

fuzz: $(READY) ## random diagrams: values, passes, gradients and emitters of compiled ones, 20000 verdicts with a brute-force judge
	$(VENV)/bin/fusion fuzz --what values --cases 2000 --seed 1
	$(VENV)/bin/fusion fuzz --what values --cases 500 --seed 1 --dtype float32
	$(VENV)/bin/fusion fuzz --what passes --cases 1000 --seed 1
	$(VENV)/bin/fusion fuzz --what gradients --cases 1000 --seed 1
	$(VENV)/bin/fusion fuzz --what emitters --cases 500 --seed 1
	$(VENV)/bin/fusion fuzz --what rules --cases 20000 --seed 1

ifneq ($(wildcard benchmarks/run.py),)
bench: $(READY) ## run the benchmarks
	$(RUN) benchmarks/run.py
endif

clean: ## remove the virtual environment and everything generated
	rm -rf $(VENV) demo-output dist .pytest_cache .ruff_cache .hypothesis
	find fusion compiler models tests -name __pycache__ -type d -prune -exec rm -rf {} +
