# A thin front for meson: each target installs what it needs and says what it does.
# The real build is described in meson.build.

MESON ?= meson
NINJA ?= ninja
# Memory bounds the number of compilers: the sanitized build takes about 300 MB for each.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help run check test test-versions prove release package package-test debug coverage fuzz bench clean

help:
	@echo "make run            install what is needed, build, deploy examples/shop to the embedded PostgreSQL"
	@echo "make check          what to run before each commit: layout, compilers, layers, limits, unit tests"
	@echo "make test           install what the tests need, build with sanitizers, run all tests"
	@echo "make test-versions  the integration and fault tests on each of PostgreSQL 13 to 18"
	@echo "make prove          the tests' full figures: every fault, large samples, all versions; takes hours"
	@echo "make release        build the program: build/release/aramid"
	@echo "make package        npm packages, .deb, tarballs, image: build/package; needs Debian 12"
	@echo "make package-test   install each of them in every way that is possible here"
	@echo "make debug          build with ASan and UBSan: build/debug/src/cli/aramid"
	@echo "make coverage       how much of each room the unit tests run; ARGS=tests/... adds Python tests"
	@echo "make fuzz           build the fuzzers with clang and run each for FUZZ_SECONDS (30)"
	@echo "make bench          measure against psql and, where installed, other migration tools"
	@echo "make clean          remove build/ (the example's database is stopped first)"

run:
	@tools/setup run
	@$(MAKE) --no-print-directory release
	@tools/run-example

# What is only needed to compile; `run` asks for a PostgreSQL server as well.
release: build/release/build.ninja
	@echo "Building build/release/aramid"
	@$(NINJA) -C build/release -j $(JOBS) --quiet src/cli/aramid
	@cp -f build/release/src/cli/aramid build/release/aramid

# KEY=FILE signs; tools/package says what else there is.
package:
	@tools/setup package
	@JOBS=$(JOBS) tools/package $(if $(KEY),--key $(KEY))

package-test:
	@tools/setup test
	@tools/setup-npm
	@$(MAKE) --no-print-directory package
	@ARAMID_PACKAGES=full tests/run tests/packages

debug: build/debug/build.ninja
	@echo "Building build/debug (ASan, UBSan)"
	@$(NINJA) -C build/debug -j $(JOBS) --quiet

build/release/build.ninja:
	@tools/setup build
	@$(MESON) setup build/release --buildtype=release -Dtests=false >/dev/null || \
		{ tail -n 20 build/release/meson-logs/meson-log.txt; exit 1; }

build/debug/build.ninja:
	@tools/setup test
	@$(MESON) setup build/debug --buildtype=debug -Db_sanitize=address,undefined >/dev/null || \
		{ tail -n 20 build/debug/meson-logs/meson-log.txt; exit 1; }

# In under a minute where build/debug is warm. CHECK=all: every file with clang, without unit tests.
check:
	@tools/setup check
	@$(MAKE) --no-print-directory debug
	@tools/check $(CHECK)

# ARGS is handed to pytest: make test ARGS="-k pooler"
test:
	@tools/setup test
	@tools/setup-npm
	@tools/setup-pg-dump
	@$(MAKE) --no-print-directory debug
	@tests/run $(ARGS)

test-versions: debug
	@tools/setup-npm
	@for version in 13 14 15 16 17 18; do \
		echo "== PostgreSQL $$version"; \
		ARAMID_TEST_PG=$$version tests/run tests/integration tests/faults || exit 1; \
	done

# What is too long for every day; the tests run samples of it. Nothing here runs in CI.
prove: debug release
	@tools/setup test
	@tools/setup-npm
	@tools/setup-pg-dump
	@tools/setup-regression
	@for figure in \
		"env ARAMID_FAULTS=full tests/run tests/faults tests/integration" \
		"tests/compat/psl_compare.py --all" \
		"tests/compat/diff_compare.py --random 2000 --mutants 500 --prisma 7" \
		"tests/compat/diff_compare.py --random 2000 --mutants 500 --prisma 6" \
		"tests/compat/roundtrip.py" \
		"tests/compat/roundtrip.py --generated 1000" \
		"tests/compat/pairs_generated.py --server 13,14,15,16,17,18" \
		"tests/compat/outside_generated.py --server 13,14,15,16,17,18" \
		"tests/compat/pull_compare.py" \
		"tests/compat/backup_compare.py" \
		"tests/compat/notify_compare.py" \
		"env ARAMID_FAULTS=full ARAMID_TEST_PG=18 tests/run tests/faults/test_ledger_attacks.py" \
		"bench/locks.py" "bench/stall.py" "bench/polite.py --both --versions 13,18" "bench/memory.py" \
		"tests/compat/regression.py" \
		"tests/compat/prisma8_compare.py" \
		"make --no-print-directory package-test" \
		"env ARAMID_BIN=$(CURDIR)/build/package/programs/linux-x64-musl/aramid tests/run tests/integration" \
		"make --no-print-directory test-versions"; do \
		echo "== $$figure"; $$figure; status=$$?; \
		[ $$status = 77 ] && echo "not here: skipped" && continue; \
		[ $$status = 0 ] || { echo "failed: $$figure"; exit 1; }; \
	done; echo "all figures hold"

coverage:
	@tools/setup coverage
	@tools/coverage $(ARGS)

fuzz:
	@tools/setup fuzz
	@tools/fuzz

# MIGRATIONS=folder measures a real history instead of a made one; ROUNDS=15
bench: release
	@tools/setup test
	@bench/run.py $(if $(MIGRATIONS),--migrations $(MIGRATIONS)) --rounds $(or $(ROUNDS),15)

clean:
	@if [ -x build/release/aramid ] && [ -d build/run/shop ]; then \
		build/release/aramid db stop -C build/run/shop >/dev/null 2>&1 || true; fi
	@rm -rf build
