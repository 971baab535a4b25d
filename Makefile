# The commands that people use. Each does its own set-up; `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

CARGO ?= cargo
# What tests download is kept here; the Rust target folder is cargo's own business (CARGO_TARGET_DIR).
export CULPRIT_CACHE ?= $(CURDIR)/.cache
# Corpora beside the repository; the tests that want them say so when they are not there.
ifneq ($(wildcard ../shared/data),)
export CULPRIT_SHARED ?= $(abspath ../shared)
endif

UI_SOURCES := $(shell find web/ui/src web/ui/public web/ui/build -type f) \
	web/ui/index.html web/ui/package.json web/ui/tsconfig.json web/ui/vite.config.ts
# npm writes this file last.
INSTALLED := node_modules/.package-lock.json

.PHONY: help demo test bench lint console setup

help:
	@echo 'make demo     a server, a simulated incident, the alert that names its cause, the console'
	@echo 'make test     every test: Rust, conformance, crash, console, browser'
	@echo 'make bench    ingest, latency, egress, pauses, isolation, quotas, rca, promql, long campaigns; `make bench rca` runs one suite, SUITES names several'
	@echo 'make lint     formatting, clippy, oxlint, types of the console'
	@echo 'make console  the console alone, into web/ui/dist'
	@echo 'make setup    what the tests need beside Rust and Node'

demo: console
	$(CARGO) build --bin culprit
	$(CARGO) run --quiet --bin culprit -- demo

test: console setup
	$(CARGO) build --workspace
	if $(CARGO) nextest --version >/dev/null 2>&1; then
		$(CARGO) nextest run --workspace
	else
		$(CARGO) test --workspace --no-fail-fast --all-targets
	fi
	npm --prefix web/ui test

# PROFILE=dev measures what the tests run on: no figure to publish, but there in seconds. SUITES="latency egress" runs these alone.
export PROFILE ?= release
ALL_SUITES := rows ingest latency egress pauses isolation quotas rca promql kills mutations
# `make bench rca` names a suite as a goal.
NAMED_SUITES := $(filter $(ALL_SUITES),$(MAKECMDGOALS))
SUITES ?= $(or $(NAMED_SUITES),$(ALL_SUITES))
.PHONY: $(NAMED_SUITES)
$(NAMED_SUITES): bench
bench: setup
	$(CARGO) build --profile $(PROFILE) --workspace --bins
	bench/run.sh $(SUITES)

lint: web/ui/$(INSTALLED)
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings
	npm --prefix web/ui run lint
	npm --prefix web/ui run typecheck

console: web/ui/dist/index.html

web/ui/dist/index.html: web/ui/$(INSTALLED) $(UI_SOURCES)
	npm --prefix web/ui run build
	@touch $@

%/$(INSTALLED): %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund
	@touch $@

# Prometheus and node-exporter are what the tests compare with, Chromium is what they look through, Python and Node run the clients of the SLS API
# (from PyPI, kept in CULPRIT_CACHE, and from npm), libnss-wrapper gives Node the names of hosts that no name server knows.
setup: tests/browser/$(INSTALLED) tests/clients/node/$(INSTALLED)
	@missing=()
	command -v prometheus >/dev/null || missing+=(prometheus)
	command -v prometheus-node-exporter >/dev/null || missing+=(prometheus-node-exporter)
	command -v chromium >/dev/null || missing+=(chromium)
	python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
	compgen -G '/usr/lib/*/libnss_wrapper.so' >/dev/null || missing+=(libnss-wrapper)
	if [ $${#missing[@]} = 0 ]; then
		:
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get update
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$${missing[@]}"
	else
		echo "not installed: $${missing[*]}; the tests that want them will say that they are skipped" >&2
		echo "on Debian: apt-get install $${missing[*]}" >&2
	fi
	tests/clients/setup.sh "$(CULPRIT_CACHE)/python"
