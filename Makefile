# Fulcrum's commands. `make help` lists them; each makes what it needs by itself.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
EMULATORS ?= embedded
export EMULATORS

.DEFAULT_GOAL := help
.PHONY: help demo run test bench package check format clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# True of an environment whose making and whose installations all came to their end.
WHOLE := import importlib.metadata as m; m.version("pip"); assert all(d.read_text("RECORD") for d in m.distributions())
# Makes the environment, anew where an interrupted run left half of one.
define make_venv
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fulcrum needs Python 3.11 or newer, and $(PYTHON) is %d.%d: name another, as in make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version_info[:2])'
test ! -d $(VENV) || $(PY) -I -c '$(WHOLE)' 2>/dev/null || { echo "Removing a half-made $(VENV) ..."; rm -rf $(VENV); }
test -d $(VENV) || $(PYTHON) -m venv $(VENV)
endef

$(VENV)/.run-ready: requirements.txt constraints.txt
	@echo "Installing what Fulcrum runs on into $(VENV), about a minute ..."
	@$(make_venv)
	@$(PIP) -r requirements.txt
# It shares a file with google-cloud-functions, whose form of it would slow down the start of every function.
	@$(PIP) --force-reinstall --no-deps functions-framework
	@touch $@

$(VENV)/.dev-ready: requirements-dev.txt $(VENV)/.run-ready
	@echo "Installing what the tests and checks need into $(VENV) ..."
	@$(make_venv)
	@$(PIP) -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.run-ready ## Start everything, send 20,000 events, prove that none was lost; run scripts, a timer, a simulation
	@$(PY) -m demo

run: $(VENV)/.run-ready ## Run the whole platform on this machine until Ctrl-C (ARGS="--data DIR" keeps its state)
	@exec $(PY) -m local $(ARGS)

test: $(VENV)/.dev-ready ## Run all tests (ARGS="tests/unit -k name" for some)
	@$(PY) -m pytest -n auto --dist loadgroup --no-loadscope-reorder $(ARGS)

bench: $(VENV)/.dev-ready ## Measure cold start, memory and cost per event as ratios; writes build/bench.json
	@$(PY) -m bench $(ARGS)

package: $(VENV)/.run-ready ## Build one zip a function, as it is uploaded, into build/packages
	@$(PY) -m local.package

check: $(VENV)/.dev-ready ## What CI runs: format, lint, types, tests, packages, demo
	@.ci/run

format: $(VENV)/.dev-ready ## Format the code and mend what the linter can mend
	@$(VENV)/bin/ruff check --fix --quiet . && $(VENV)/bin/ruff format --quiet .

clean: ## Remove the virtual environment, builds and caches
	@rm -rf $(VENV) build .fulcrum .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
