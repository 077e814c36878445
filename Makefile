# Everything a developer needs; `make help` lists it. Nothing here asks a question.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Debian's own interpreter is built with PGO and LTO: that alone is worth 5 to 9 % in connections per second.
PYTHON ?= $(shell tools/find-python)
# Tests mostly wait: three keep two cores busy.
JOBS ?= 3

.DEFAULT_GOAL := help
.NOTPARALLEL:  # apt-get and pip each want to be alone; the tests share the cores out themselves
.PHONY: help run test test-all check lint types bench screenshots man peers installer installer-drill deps clean \
	system-run system-test system-long system-installer pythons

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(BIN)/.run  ## a server, a client and a page fetched through both, stage by stage (ARGS=--once ends after it)
	$(BIN)/ssgui demo $(ARGS)

test: $(BIN)/.dev system-test pythons  ## what CI runs
	SSGUI_PYTHONS="$$(tools/other-pythons list)" $(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup $(ARGS)

test-all: $(BIN)/.dev system-long pythons  ## the long ones too: drills, soak, thousands of connections
	SSGUI_PYTHONS="$$(tools/other-pythons list)" $(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup --long $(ARGS)

check: lint types  ## ruff, dead code, mypy strict, and the rules of the house
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_architecture.py tests/test_house.py

lint: $(BIN)/.dev  ## ruff, vulture, and actionlint where it can be had
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/vulture
	tools/lint-workflows

types: $(BIN)/.dev  ## mypy
	$(BIN)/mypy ssgui tests

bench: $(BIN)/.dev  ## our benchmarks, and the peers' where they are (ARGS go to the latter)
	PATH="$(CURDIR)/$(BIN):$$PATH" tools/bench $(ARGS)

screenshots: $(BIN)/.dev system-test  ## pictures of every page: light and dark, both languages, 1x, 1.5x and 2x (build/screenshots)
	for scale in 1 1.5 2; do $(BIN)/python -m tests.support.screens build/screenshots --scale $$scale; done

man: $(BIN)/.dev  ## the man page and the completions of shells, from what the commands say with -h
	$(BIN)/python -m tests.support.shipped

peers:  ## build shadowsocks-rust and sing-box for the tests, once, outside of the repository (cargo, go; minutes)
	@tools/peers

installer: system-installer  ## freeze the program and make dist/*.tar.gz and *.deb; compile the Windows installer
	PYTHON="$(PYTHON)" tools/freeze
	tools/package-linux
	tools/package-windows --check

installer-drill: $(BIN)/.dev system-installer  ## install, use and remove them in a bare Debian (as root; minutes)
	$(BIN)/python -m pytest -q --long -rs tests/installer/test_drill.py

deps: $(BIN)/.dev system-long pythons  ## install everything that the targets above need

clean:  ## remove what the targets above made
	rm -rf $(VENV) .venv-3.* .venv-installer build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

system-run:
	@tools/system-packages run "$(PYTHON)"

system-test:
	@tools/system-packages test "$(PYTHON)"

system-long:
	@tools/system-packages long "$(PYTHON)"

system-installer:
	@tools/system-packages installer "$(PYTHON)"

pythons: | system-test
	@tools/other-pythons prepare

$(BIN)/python: | system-run
	$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 2; }

$(BIN)/.run: pyproject.toml | $(BIN)/python
	tools/pip-install $(BIN)/python -e .
	@touch $@

$(BIN)/.dev: pyproject.toml | $(BIN)/python
	tools/pip-install $(BIN)/python -e '.[dev]'
	@touch $@ $(BIN)/.run
