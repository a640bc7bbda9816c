# SPDX-License-Identifier: Apache-2.0
# A thin front of CMake and Ninja. `make` builds with what is there; `make demo` and `make test` first install what is
# missing (tools/setup.sh). Everything else is in CMakeLists.txt.
BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc 2> /dev/null || echo 2)
FORMAT ?= clang-format
CMAKE  ?= cmake

SOURCES = $(shell find . -path './build*' -prune -o -name '*.[ch]' -print)

# Ninja where it is there; a folder that exists keeps what it was made with.
GENERATOR = $(if $(wildcard $(BUILD)/CMakeCache.txt),,$(if $(shell command -v ninja 2> /dev/null),-G Ninja))

.PHONY: all setup demo test check test-peers bench-peers bench-history install format fuzz mutations clean

all:
	@command -v $(CMAKE) > /dev/null || { echo "cmake is missing: run tools/setup.sh"; exit 1; }
	@$(CMAKE) -S . -B $(BUILD) $(GENERATOR) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CONFIGURE) \
	    > $(BUILD).log || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@$(CMAKE) --build $(BUILD) --parallel $(JOBS)

setup:
	@tools/setup.sh

demo: setup
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) tools/demo.sh

test: setup
	@$(MAKE) --no-print-directory all
	@ctest --test-dir $(BUILD) --output-on-failure --parallel $(JOBS)

check: all
	tools/check_layers
	tools/check_headers
	tools/check_registered
	tools/check_symbols $(BUILD)

# Peers are other people's engines; bench/peers/setup.sh says what it needs and installs it for its own use.
# docs/BENCH.md tells what ARGS they take.
test-peers: all
	@bench/peers/setup.sh
	@BUILD=$(BUILD) bench/peers/test.sh $(ARGS)

bench-peers: all
	@bench/peers/setup.sh
	@BUILD=$(BUILD) bench/peers/bench.sh $(ARGS)

# One more line in bench/history.json: the demo network, and the models of BENCH_MODELS and PARE_DATA.
bench-history: all
	@BUILD=$(BUILD) bench/history $(ARGS)

install: all
	$(CMAKE) --install $(BUILD) --prefix $(PREFIX)
	@[ -n "$(DESTDIR)" ] || ldconfig 2> /dev/null || true

format:
	$(FORMAT) -i $(SOURCES)

# SECONDS_EACH seconds of every fuzz target.
fuzz:
	@BUILD=$(BUILD)-fuzz tools/fuzz $(or $(SECONDS_EACH),60) || [ $$? -eq 77 ]

# 10,000 changed inputs for every format, under AddressSanitizer and UBSan.
mutations: setup
	@$(CMAKE) -S . -B $(BUILD)-sanitize $(if $(wildcard $(BUILD)-sanitize),,-G Ninja) -DPARE_SANITIZE=ON
	@$(CMAKE) --build $(BUILD)-sanitize --target mutations

clean:
	rm -rf $(BUILD) $(BUILD)-fuzz $(BUILD)-gcc $(BUILD)-clang $(BUILD)-sanitize $(BUILD)-threads $(BUILD)-emulate \
	    $(BUILD)-aarch64
