# SPDX-License-Identifier: MIT OR Apache-2.0
# The commands of the house; `make help` lists them.  Everything is built below $(TARGET); nothing global is touched
# except by install and uninstall.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# cargo uses all processors by itself, and the tests are timed best alone.
.NOTPARALLEL:

ifneq ($(words $(CURDIR)),1)
$(error unipc: make cannot work below a path with spaces: $(CURDIR))
endif

PREFIX ?= /usr/local
override PREFIX := $(abspath $(PREFIX))
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=
TARGET ?= $(CURDIR)/target
PYTHON ?= python3
CARGO ?= cargo
RUSTC ?= rustc

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
SONAME := libunipc.so.0
RELEASE := $(TARGET)/release
VENV := $(TARGET)/venv
PEERS := $(TARGET)/venv-peers
VENV_BENCH := $(TARGET)/venv-bench
STAGED := python/pysrc/unipc
SUMMARY := $(PYTHON) tests/scripts/summary.py
NEED := CARGO=$(CARGO) CC="$(CC)" PYTHON=$(PYTHON) tests/scripts/need
# The rooms that have benchmarks. In Python a file may have an s behind it, where a module of Python's own is called so.
ROOMS := shm mq lock signal sockets pipe process sem sync
LIBRARY := $(RELEASE)/libunipc.so $(RELEASE)/libunipc.a
C_SOURCES = $(shell find examples-c ffi/benches ffi/tests/c tests -name '*.[ch]' -o -name '*.cpp')

export CARGO_TARGET_DIR := $(TARGET)
# With this prefix not even the standard library's compiled modules are found where they lie: they must be written here
# once, or each Python that starts compiles them anew.
export PYTHONPYCACHEPREFIX := $(TARGET)/pycache
unexport PYTHONDONTWRITEBYTECODE
export PYTEST_ADDOPTS := -p no:cacheprovider --basetemp=$(TARGET)/pytest
export UNIPC_VENV := $(VENV)
export UNIPC_VENV_PEERS := $(PEERS)
export UNIPC_INTEROP := $(TARGET)/interop
export UNIPC_LIB_DIR := $(RELEASE)
unexport CARGO_BUILD_TARGET

# In-tree stand-ins for pkg-config: programs built with them run from anywhere on this machine.
IN_TREE := UNIPC_CFLAGS="-I$(CURDIR)/include" UNIPC_LIBS="-L$(RELEASE) -Wl,-rpath,$(RELEASE) -lunipc"

.PHONY: help
help: ## this list
	@echo "unipc $(VERSION).  Variables: PREFIX DESTDIR LIBDIR INCLUDEDIR CC CARGO PYTHON TARGET"
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))

##@ Use
.PHONY: demo examples lib install uninstall wheel
demo: examples wheel-installed ## C, Python and Rust on the same records, live
	@$(VENV)/bin/python python/examples/demo.py \
	    --writer $(TARGET)/examples-c/demo_writer --observer $(TARGET)/debug/examples/demo_observer \
	    --holder $(TARGET)/examples-c/sync_holder --camera $(TARGET)/examples-c/topic_publisher

examples: lib ## the examples in C (target/examples-c/NAME) and in Rust
	$(MAKE) --no-print-directory -C examples-c OUT=$(TARGET)/examples-c $(IN_TREE)
	$(CARGO) build --examples -p unipc

lib: tools.cargo ## libunipc.so and libunipc.a
	$(CARGO) build --release -p unipc-ffi
	ln -sf libunipc.so $(RELEASE)/$(SONAME)
	@$(call native_libraries,$(RELEASE)/native-static-libs)

# What install puts where; uninstall removes the same.
INSTALLED = $(addprefix $(LIBDIR)/,libunipc.so.$(VERSION) $(SONAME) libunipc.so libunipc.a pkgconfig/unipc.pc) \
    $(LIBDIR)/cmake/unipc $(INCLUDEDIR)/unipc.h $(INCLUDEDIR)/unipc

# Under sudo, where cargo seldom is, what `make lib` built before is installed.
install: $(if $(SUDO_UID),$(LIBRARY),lib) ## headers, libraries, unipc.pc and the CMake package (PREFIX=, DESTDIR=)
	install -d $(addprefix $(DESTDIR),$(LIBDIR)/pkgconfig $(LIBDIR)/cmake/unipc $(INCLUDEDIR)/unipc)
	install -m 755 $(RELEASE)/libunipc.so $(DESTDIR)$(LIBDIR)/libunipc.so.$(VERSION)
	install -m 644 $(RELEASE)/libunipc.a $(DESTDIR)$(LIBDIR)/
	strip --strip-debug $(addprefix $(DESTDIR)$(LIBDIR)/,libunipc.so.$(VERSION) libunipc.a)
	ln -sf libunipc.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libunipc.so
	install -m 644 include/unipc.h $(DESTDIR)$(INCLUDEDIR)/
	install -m 644 include/unipc/*.h $(DESTDIR)$(INCLUDEDIR)/unipc/
	@$(call fill,ffi/unipc.pc.in,$(DESTDIR)$(LIBDIR)/pkgconfig/unipc.pc,$(PREFIX),$(LIBDIR),$(INCLUDEDIR))
	@$(call fill,ffi/cmake/unipcConfig.cmake.in,$(DESTDIR)$(LIBDIR)/cmake/unipc/unipcConfig.cmake)
	@$(call fill,ffi/cmake/unipcConfigVersion.cmake.in,$(DESTDIR)$(LIBDIR)/cmake/unipc/unipcConfigVersion.cmake)
	if [[ -z "$(DESTDIR)" && $$(id -u) == 0 ]]; then ldconfig; fi

uninstall: ## removes what install put (same PREFIX=, DESTDIR=)
	rm -rf $(addprefix $(DESTDIR),$(INSTALLED))

wheel: tools.cargo lib $(VENV)/.ready ## the Python wheel, with the C library in it (target/wheels)
	rm -rf $(STAGED)/include $(STAGED)/lib $(TARGET)/wheels
	install -d $(STAGED)/include $(STAGED)/lib/pkgconfig
	cp -r include/. $(STAGED)/include/
	strip --strip-debug -o $(STAGED)/lib/$(SONAME) $(RELEASE)/libunipc.so
	strip --strip-debug -o $(STAGED)/lib/libunipc.a $(RELEASE)/libunipc.a
# A wheel holds no symbolic links: this is a linker script that stands for one.
	echo 'INPUT($(SONAME))' > $(STAGED)/lib/libunipc.so
	@$(call fill,ffi/unipc.pc.in,$(STAGED)/lib/pkgconfig/unipc.pc,$${pcfiledir}/../..,$${prefix}/lib,$${prefix}/include)
	$(VENV)/bin/maturin build --release --manifest-path python/Cargo.toml --out $(TARGET)/wheels

##@ Prove
.PHONY: check check-rust check-abi check-python check-c
.PHONY: test test-core test-asan test-tsan test-ffi test-faces test-c test-python test-examples test-interop test-crash test-house planted models storm
check: check-rust check-abi check-python check-c ## format, lints, docs, header, symbols, stubs: quick (-k shows all faults)
	@echo 'check: nothing to complain about'

check-rust: tools.cargo
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path core/fuzz/Cargo.toml --check
	$(CARGO) fmt --manifest-path ffi/benches/channel/peers/Cargo.toml --check
	$(CARGO) clippy --quiet --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --workspace --no-deps

check-abi: lib
	$(CARGO) test --quiet -p unipc-ffi --test header
	tests/scripts/symbols.py $(RELEASE)/libunipc.so ffi/unipc.symbols

check-python: wheel-installed
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/ruff format --quiet --check .
	$(VENV)/bin/mypy python/pysrc
	$(VENV)/bin/mypy tests/scripts
	$(VENV)/bin/python -m mypy.stubtest unipc --mypy-config-file mypy.ini --allowlist python/stubtest.txt --ignore-unused-allowlist

check-c: $(VENV)/.ready
	$(VENV)/bin/clang-format --dry-run -Werror $(C_SOURCES)

STORM_KILLS ?= 100000
test: build-tests ## everything, in its own namespaces; ends with "N passed, N failed, N skipped"
	$(SUMMARY)

test-core: tools.cargo ## the Rust core
	$(SUMMARY) core

test-asan: tools.cargo ## the Rust core under AddressSanitizer
	$(SUMMARY) asan

test-tsan: tools.cargo ## locks and queues between two threads under ThreadSanitizer
	$(SUMMARY) tsan

test-ffi: tools.cargo ## the C boundary
	$(SUMMARY) ffi

test-faces: lib ## conformance of the Rust and C faces over every backing
	$(SUMMARY) faces

test-c: $(VENV)/.ready lib ## headers in every C and C++ standard, make install, pkg-config, CMake
	$(SUMMARY) headers install

test-python: wheel-installed ## the installed wheel
	$(SUMMARY) python

test-examples: examples wheel-installed ## the examples, alone and each language with each other
	$(SUMMARY) examples

test-interop: build-tests ## every party with every other
	$(SUMMARY) interop

test-crash: build-tests ## processes killed and calls failed at every point
	$(SUMMARY) crash inject

test-house: $(VENV)/.ready ## the scripts that the tests rely on
	$(SUMMARY) house

storm: lib wheel-installed ## STORM_KILLS=100000 kills of workers in C and Python that use all locks at once (20 minutes)
	$(VENV)/bin/python tests/crash/mixed.py $(STORM_KILLS)

models: tools.cargo ## the algorithms in more orders of steps than make test-faces has time for (10 minutes)
	UNIPC_MODELS=1 $(CARGO) test --release -p unipc-tests --test models -- --nocapture

planted: tools.cargo ## plants faults in locks and channels, one at a time, and counts those that the tests catch (ROOM=sync, ROOM=channel, ROOM=service; hours)
	$(PYTHON) tests/planted/run.py $(ROOM)

##@ Measure and search
.PHONY: bench bench-channel fuzz audit
FUZZ_SECONDS ?= 60
bench: lib wheel-installed $(PEERS)/.ready $(ROOMS:%=$(TARGET)/benches-c/%) ## medians, and ratios to the plain calls
	@for room in $(ROOMS); do \
	    $(TARGET)/benches-c/$$room; \
	    $(CARGO) bench --quiet -p unipc --bench $$room; \
	    $(VENV)/bin/python python/benches/$$room*.py; \
	done

$(TARGET)/benches-c/%: ffi/benches/%.c $(wildcard ffi/benches/harness.* ffi/benches/machine.*) $(wildcard include/unipc/*.h) | lib
	mkdir -p $(@D)
	$(CC) -std=c11 -O2 -Iinclude $(filter %.c,$^) -o $@ -L$(RELEASE) -Wl,-rpath,$(RELEASE) -lunipc

CHANNEL := ffi/benches/channel
CHANNEL_OPTIONS := -std=c11 -O3 -march=native -Iinclude
CHANNEL_HEADERS := $(wildcard $(CHANNEL)/*.h $(CHANNEL)/peers/*.h include/unipc/*.h)
$(TARGET)/benches-c/channel: $(wildcard $(CHANNEL)/*.c) $(CHANNEL_HEADERS) | lib
	mkdir -p $(@D)
	$(CC) $(CHANNEL_OPTIONS) $(filter %.c,$^) -o $@ -L$(RELEASE) -Wl,-rpath,$(RELEASE) -lunipc

# The same harness for loops that are written in Python.
$(TARGET)/benches-c/libpair.so: $(addprefix $(CHANNEL)/,pair.c limits.c measure.c) $(CHANNEL_HEADERS)
	mkdir -p $(@D)
	$(CC) $(CHANNEL_OPTIONS) -shared -fPIC $(filter %.c,$^) -o $@

# What other people made lives apart, and may be missing: it is then skipped by name.
bench-channel: $(TARGET)/benches-c/channel $(TARGET)/benches-c/libpair.so wheel ## channels beside the machine's limits and their peers: tables, plots (target/bench), expectations
	CARGO=$(CARGO) CC="$(CC)" PYTHON=$(PYTHON) $(CHANNEL)/peers/build $(TARGET)/bench/peers $(VENV_BENCH) $(TARGET)/wheels
	$(TARGET)/benches-c/channel $(TARGET)/bench/peers > $(TARGET)/bench/channel.jsonl
	if [[ -e $(VENV_BENCH)/.ready ]]; then UNIPC_BENCH_PAIR=$(TARGET)/benches-c/libpair.so \
	    $(VENV_BENCH)/bin/python python/benches/channel/main.py >> $(TARGET)/bench/channel.jsonl; fi
	-rm -rf /dev/shm/unipc_bench_* /tmp/unipc_bench
	cat $(TARGET)/bench/peers/skipped.jsonl >> $(TARGET)/bench/channel.jsonl
	$(PYTHON) $(CHANNEL)/report.py $(TARGET)/bench/channel.jsonl $(TARGET)/bench

fuzz: $(TARGET)/tools/bin/cargo-fuzz ## each fuzz target for FUZZ_SECONDS=60 seconds
	cd core && for target in $$($< list); do \
	    RUSTC_BOOTSTRAP=1 $< run --target-dir $(TARGET)/fuzz "$$target" -- -max_total_time=$(FUZZ_SECONDS); done

audit: $(TARGET)/tools/bin/cargo-deny ## licences, bans and sources of the dependencies (ADVISORIES=yes: known faults too)
	$< check --hide-inclusion-graph $(if $(ADVISORIES),advisories) bans licenses sources

##@ Keep
.PHONY: format bless clean
format: tools.cargo $(VENV)/.ready ## rewrites all sources in the house style
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path core/fuzz/Cargo.toml
	$(CARGO) fmt --manifest-path ffi/benches/channel/peers/Cargo.toml
	$(VENV)/bin/ruff check --quiet --fix-only .
	$(VENV)/bin/ruff format --quiet .
	$(VENV)/bin/clang-format -i $(C_SOURCES)

bless: tools.cargo ## accepts the header and the exported symbols as they are now
	BLESS=1 $(CARGO) test --quiet -p unipc-ffi --test header
	$(MAKE) --no-print-directory lib
	tests/scripts/symbols.py --bless $(RELEASE)/libunipc.so ffi/unipc.symbols

clean: ## removes all that was built
	rm -rf $(TARGET) $(STAGED)/include $(STAGED)/lib

# --- what the targets above share ---------------------------------------------------------------------------------

.PHONY: tools.cargo build-tests wheel-installed
tools.cargo:
	@$(NEED) cargo cc python

# All that the tests run is built here, outside of their namespaces.
# (summary.py builds the Rust tests, outside as well.)
build-tests: lib examples wheel-installed $(PEERS)/.ready
	$(MAKE) --no-print-directory -C tests/interop OUT=$(UNIPC_INTEROP) $(IN_TREE)
	$(CARGO) build --release -p unipc-tests

wheel-installed: wheel
	$(VENV)/bin/pip install --quiet --no-index --no-deps --force-reinstall $(TARGET)/wheels/*.whl

$(VENV)/.ready: python/requirements-dev.txt
	@$(NEED) cargo cc python
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# The third parties live apart from unipc, so that they cannot load it.
$(PEERS)/.ready: tests/interop/requirements-peers.txt
	@$(NEED) cargo cc python
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(TARGET)/tools/bin/cargo-deny:
	@$(NEED) cargo cc
	$(CARGO) install --quiet --locked --root $(TARGET)/tools cargo-deny@0.20.2

$(TARGET)/tools/bin/cargo-fuzz:
	@$(NEED) cargo cc
	$(CARGO) install --quiet --locked --root $(TARGET)/tools cargo-fuzz@0.13.2

$(LIBRARY):
	@echo "unipc: $@ is not there: run \`make lib\` as an ordinary user first" >&2; exit 1

# native_libraries FILE: the libraries that Rust's standard library wants in a static link, without the two that
# every C compiler adds by itself (libgcc_s has no static form and would break -static).
define native_libraries
echo | $(RUSTC) --crate-type staticlib --print native-static-libs -o $(1).a - 2>&1 \
    | sed -n 's/.*native-static-libs: //p' | sed 's/-lgcc_s //; s/ -lc$$//' > $(1)
@rm $(1).a
endef

# fill TEMPLATE FILE [PREFIX LIBDIR INCLUDEDIR]: the last three are for the .pc file alone.
fill = sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@PREFIX@|$(3)|' -e 's|@LIBDIR@|$(4)|' -e 's|@INCLUDEDIR@|$(5)|' \
    -e "s|@INCLUDEDIR_FROM_CMAKE@|$$(realpath -m --relative-to=$(LIBDIR)/cmake/unipc $(INCLUDEDIR))|" \
    -e "s|@LIBS_PRIVATE@|$$(cat $(RELEASE)/native-static-libs)|" $(1) > $(2)
