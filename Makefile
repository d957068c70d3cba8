# The front door. `make demo` shows it running, `make test` runs all tests; both see to what they need first.

PREFIX ?= /usr/local
DESTDIR ?=

# One set of flags for programs and tests, so that nothing compiles twice.
BUILD := swift build -c release -Xswiftc -enable-testing
ASAN_BUILD := swift build -c release --sanitize address --scratch-path .build-asan -Xswiftc -enable-testing
SANITIZED := ^(HTTP2Tests|RPCTests|MessagesTests)\.
SOURCES := Package.swift Sources Tests
CXX_SOURCES = $(shell find Sources/CVision Sources/framemesh-video Tests -name '*.cpp' -o -name '*.hpp' -o -name 'CVision.h')

.PHONY: help
help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## Release executables in .build/release
	@dev/setup.sh
	$(BUILD)

.PHONY: demo
demo: build ## Pictures and a video through a local mesh; results in framemesh-demo
	@.build/release/framemesh demo

.PHONY: test
test: ## All tests
	@dev/setup.sh test
	@dev/python-env.sh
	proto/generate.sh --check
	$(BUILD)
	$(BUILD) --build-tests
	swift test -c release --skip-build
	@if [ -x Tests/CVisionTests/run.sh ]; then Tests/CVisionTests/run.sh; else echo "skipped: Tests/CVisionTests/run.sh is not there"; fi

# Leaks are not looked for: Swift keeps pointers packed with other bits, which LeakSanitizer takes for lost.
.PHONY: sanitize
sanitize: ## The tests of HTTP2, RPC and the C code they use, under the address sanitizer
	@dev/setup.sh test
	$(ASAN_BUILD) --build-tests
	ASAN_OPTIONS=detect_leaks=0 swift test -c release --sanitize address --scratch-path .build-asan --skip-build --no-parallel --filter '$(SANITIZED)'

.PHONY: test-full
test-full: test ## The tests again under the thread sanitizer, and the format check
	swift format lint -s -r $(SOURCES)
	swift test --sanitize thread --scratch-path .build-tsan

.PHONY: format
format: ## Swift and C++ in the project's form
	swift format -i -r $(SOURCES)
	@if [ -n "$(CXX_SOURCES)" ]; then clang-format -i $(CXX_SOURCES); fi

.PHONY: proto
proto: ## C code from proto/, after a change there
	@dev/setup.sh
	proto/generate.sh

.PHONY: install
install: build ## Into PREFIX (default /usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/framemesh
	install -m 755 .build/release/framemesh .build/release/framemesh-video $(DESTDIR)$(PREFIX)/bin/
	cp -R .build/release/framemesh_framemesh.resources/models .build/release/framemesh_framemesh.resources/demo \
	    $(DESTDIR)$(PREFIX)/share/framemesh/

.PHONY: clean
clean: ## Everything that was built
	rm -rf .build .build-asan .build-tsan .venv
