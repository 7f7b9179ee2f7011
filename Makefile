# The house around the code. `make` alone lists the targets; README.md says which one is for what.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# The first Python that is new enough; `make PYTHON=...` takes another one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$p && break; done)
JOBS ?= 2
# One more than CPUs: tests wait for other programs a quarter of the time.
WORKERS ?= $(shell expr $(JOBS) + 1)
# More arguments for pytest, for example PYTEST_ARGS="-k verify -x".
PYTEST_ARGS ?=
# The part of the suite that runs under the sanitizers too, as a pytest mark expression.
SANITIZED ?= sanitize and not soak
FUZZ_SECONDS ?= 60
# More arguments for the benchmarks: python -m benchmarks --help.
BENCH_ARGS ?=

comma := ,
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
NATIVE := $(MAKE) -f tools/native.mk -j$(JOBS)
LINTS := lint-ruff lint-mypy lint-constants lint-format lint-warnings lint-tidy
PYTHON_CODE := leadtools_compat tests examples $(wildcard benchmarks) tools build_ffi.py setup.py
C_CODE := $(filter-out csrc/ltdic.h,$(wildcard csrc/*.[ch] tests/csrc/*.[ch] examples/c/*.[ch] \
	benchmarks/programs/*.[ch]))

define headline
	@printf '\n== %s\n' "$(1)"
endef

PIP_INSTALL := $(PY) -m pip install -q --disable-pip-version-check
# Says nothing unless the command fails.
quietly = log=$$(mktemp); $(1) >"$$log" 2>&1 || { cat "$$log" >&2; rm -f "$$log"; exit 1; }; rm -f "$$log"

.PHONY: help deps deps-build deps-test deps-bench venv build demo test units pytest test-poll lint $(LINTS) \
	format sanitize sanitize-threads soak fuzz bench bench-full wheel check-wheel clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | \
		while IFS=$$'\t' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

deps: ## install what is missing of Debian's packages (root or sudo; nothing to do: no network)
	@tools/deps.sh all "$(PYTHON)"
deps-build:
	@tools/deps.sh build "$(PYTHON)"
deps-test:
	@tools/deps.sh test "$(PYTHON)"
deps-bench:
	@tools/deps.sh bench "$(PYTHON)"

venv: $(VENV)/.installed ## .venv with all tools for lint and test, and the package (editable)

$(VENV)/.installed: pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
		{ echo "Python 3.10 or newer is needed: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "venv: $(VENV) with $$("$(PYTHON)" --version)"
	@[ -x $(PY) ] || "$(PYTHON)" -m venv $(VENV)
	@$(call quietly,$(PIP_INSTALL) -U pip 'setuptools>=77' 'cffi>=1.17' wheel)
	@$(call quietly,$(PIP_INSTALL) --no-build-isolation -e '.[dev]')
	@touch $@

build: venv ## libltdic.so and the cffi module, in place; only what changed
	@$(PY) setup.py -q build_ext --inplace

demo: deps-build venv build ## run examples/demo.py
	@$(PY) examples/demo.py

test: deps-test venv build units pytest ## everything that a change must pass, within 10 minutes

units:
	$(call headline,C units)
	@$(NATIVE) VARIANT=plain units replay
	@$(NATIVE) VARIANT=poll units

pytest: venv build
	$(call headline,pytest)
	@$(PY) -m pytest -q -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

test-poll: deps-test venv ## the whole of pytest on the poll() back end
	$(call headline,pytest on the poll() back end)
	@tools/variant_pytest.sh poll $(PY) -q -n $(JOBS) $(PYTEST_ARGS)

lint: deps venv ## ruff, mypy, constants, clang-format, warnings of gcc and clang, clang-tidy
	@$(MAKE) -k $(LINTS)

lint-ruff:
	$(call headline,ruff)
	@$(BIN)/ruff check -q --output-format concise .
	@$(BIN)/ruff format -q --check --output-format concise .

lint-mypy:
	$(call headline,mypy)
	@$(BIN)/mypy --strict $(PYTHON_CODE)

lint-constants:
	$(call headline,generated files)
	@$(PY) tools/generate_constants.py --check
	@$(PY) tools/generate_stubs.py --check
	@$(PY) tools/generate_api_matrix.py --check

lint-format:
	$(call headline,clang-format)
	@$(BIN)/clang-format --dry-run -Werror $(C_CODE)

lint-warnings:
	$(call headline,warnings of gcc and clang)
	@$(NATIVE) -k warnings

lint-tidy:
	$(call headline,clang-tidy)
	@$(NATIVE) -k tidy

format: venv ## put Python and C into the form that lint asks for
	@$(BIN)/ruff check -q --fix . || true
	@$(BIN)/ruff format -q .
	@$(BIN)/clang-format -i $(C_CODE)

sanitize: deps venv ## C units with ASan, UBSan, LSan and TSan; the marked part of pytest with ASan and UBSan
	$(call headline,C units: address$(comma) undefined behaviour and leaks)
	@$(NATIVE) VARIANT=asan units replay
	$(call headline,C units: threads)
	@$(NATIVE) VARIANT=tsan units
	$(call headline,pytest: address and undefined behaviour)
	@tools/variant_pytest.sh asan $(PY) -q -n $(JOBS) -m "$(SANITIZED)" $(PYTEST_ARGS)

sanitize-threads: deps venv ## the marked part of pytest with TSan (whose own memory map now and then fails a run)
	$(call headline,pytest: threads)
	@tools/variant_pytest.sh tsan $(PY) -q -n $(JOBS) -m "$(SANITIZED)" $(PYTEST_ARGS)

soak: deps-test venv build ## full scale: before an issue is called resolved
	$(call headline,soak)
	@$(PY) -m pytest -q -m soak --timeout 3600 $(PYTEST_ARGS)

fuzz: deps ## run each fuzz target for FUZZ_SECONDS (60)
	$(call headline,fuzzing)
	@$(NATIVE) VARIANT=fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz

$(VENV)/.bench: $(VENV)/.installed
	@$(call quietly,$(PIP_INSTALL) --no-build-isolation -e '.[bench]')
	@touch $@

bench: deps-bench build $(VENV)/.bench ## side by side with the peers, in under 4 minutes; BENCH_ARGS="--compare A B"
	@$(PY) -m benchmarks $(BENCH_ARGS)

bench-full: deps-bench build $(VENV)/.bench ## all works, sizes and peers, more rounds: an hour; BENCH_ARGS="--part idle"
	@$(PY) -m benchmarks --full $(BENCH_ARGS)

# OpenSSL is left out of the wheel on purpose: its security fixes come with the system, and every
# system with a glibc that fits the wheel has OpenSSL 3.
wheel: deps venv ## sdist, and from it the wheel, into dist/
	@rm -rf build/unrepaired dist
	@$(call quietly,$(PY) -m build --outdir build/unrepaired .)
	@$(call quietly,PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --strip \
		--exclude 'libssl.so.*' --exclude 'libcrypto.so.*' --wheel-dir dist build/unrepaired/*.whl)
	@cp build/unrepaired/*.tar.gz dist/
	@ls -l dist | awk 'NR > 1 { print $$5, $$9 }'

check-wheel: wheel ## install that wheel where there is no compiler, and run the sample
	@tools/check_wheel.sh $(PY)

clean: ## remove what was built; .venv stays
	@rm -rf build dist leadtools_compat.egg-info leadtools_compat/include leadtools_compat/_binding/*.so
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
