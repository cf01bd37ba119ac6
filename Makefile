# `make run` and `make test` need nothing prepared but Debian 12, git, make and Swift 6.2 or later.
.PHONY: run build install uninstall test unit e2e budgets lint test-asan test-tsan fuzz faults soak bench clean

# The demo: an edge, two chat workers and a page.
run: build
	@exec .build/release/sluice demo

# With the Swift runtime linked in: the programs run where no Swift is installed, and calls into it cost less.
build: toolchain
	@scripts/packages build
	swift build -c release --static-swift-stdlib --product sluice
	swift build -c release --static-swift-stdlib --product sluicectl
	swift build -c release --static-swift-stdlib --product chat-worker

# What `make build` made, below DESTDIR and PREFIX (/usr/local), with units for systemd and completions for shells. Builds nothing, so
# that root need not.
install:
	@scripts/install

uninstall:
	@scripts/install --remove

test: toolchain
	@scripts/packages build test budgets
	$(MAKE) --no-print-directory lint unit e2e budgets

unit: toolchain
	swift test --disable-xctest

# The real binaries, with clients and workers that others wrote.
e2e: toolchain
	swift build --product sluice
	swift build --product sluicectl
	swift build --product chat-worker
	swift build --product sluice-bench
	scripts/end-to-end .build/debug

# What a message and a handshake may cost, counted and not timed, of the release build.
budgets: toolchain
	@scripts/packages build budgets
	swift build -c release --static-swift-stdlib --product sluice
	swift build -c release --static-swift-stdlib --product sluice-bench
	scripts/budgets

lint: toolchain
	swift format lint --strict --parallel --recursive Sources Tests Package.swift
	scripts/layers

test-asan: toolchain
	@scripts/packages build test
	scripts/sanitize address .build-asan

test-tsan: toolchain
	@scripts/packages build test
	scripts/sanitize thread .build-tsan

# Every parser under libFuzzer, SECONDS each (TARGET=... for one); see docs/fuzzing.md.
fuzz: toolchain
	@scripts/packages build
	SECONDS_EACH=$(SECONDS) scripts/fuzz

# Faults in any order while everybody talks: `make faults SECONDS=3600`; see docs/soak.md.
faults: toolchain
	@scripts/packages build test
	swift build --product sluice
	E2E_FAULT_SECONDS=$(or $(SECONDS),600) scripts/end-to-end .build/debug -s -k mayhem

# Clients who come, talk and go for `make soak MINUTES=60`: memory stays flat, descriptors come back; see docs/soak.md.
soak: toolchain
	@scripts/packages build test
	swift build -c release --static-swift-stdlib --product sluice
	scripts/soak --minutes $(or $(MINUTES),60)

# Beside nginx and HAProxy, in about half an hour; `scripts/bench --quick` takes less. See docs/benchmarks.md.
bench: toolchain
	@scripts/packages build
	scripts/bench

clean:
	rm -rf .build .build-*

.PHONY: toolchain
toolchain:
	@scripts/toolchain
