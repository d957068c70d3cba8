# The front door. `make demo` shows it running, `make test` runs all tests; both see to what they need first.

PREFIX ?= /usr/local
DESTDIR ?=

# One set of flags for programs and tests, so that nothing compiles twice.
BUILD := swift build -c release -Xswiftc -enable-testing
# Over a thousand tests at once leave none of them its time on two cores; many wait, so there may be more than cores.
# OpenVINO is that of .venv, where nobody names another one.
TEST := FRAMEMESH_OPENVINO=$${FRAMEMESH_OPENVINO:-$$(echo $(CURDIR)/.venv/lib/python3*/site-packages/openvino)} \
    dev/swift-tests.py -c release --skip-build --experimental-maximum-parallelization-width 8
# The tests of what runs on several threads; millions of turns of one thread tell nothing here.
THREADED := ^(HTTP2Tests|RPCTests|MeshTests)\.
SANITIZED := ^(HTTP2Tests|RPCTests|MessagesTests|FuzzTests)\.
# Real processes of ours, attacked by raw frames or called in other languages: minutes under a sanitizer.
SANITIZED_PROCESSES := ^(HostileTests|ConformanceTests)\.
SOURCES := Package.swift Sources Tests
CXX_SOURCES = $(shell find Sources/CVision Sources/framemesh-video Tests -name '*.cpp' -o -name '*.hpp' -o -name 'CVision.h')

# Browsers, whole meshes, the real Prometheus, network namespaces as pods: after the Swift tests, since each wants the
# machine for itself. As there, a test that fails is tried once more, and is named in the summary.
PYTEST := PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m pytest -q -p no:cacheprovider --reruns 1 -rfER

.PHONY: help
help: ## What there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## Release executables in .build/release
	@dev/setup.sh
	$(BUILD)

.PHONY: demo
demo: build ## Pictures and a video through a local mesh; results in framemesh-demo
	@.build/release/framemesh demo

.PHONY: build-tests
build-tests: ## What `make test` runs, and all programs
	@dev/setup.sh test
	$(BUILD) --build-tests

.PHONY: test
test: build-tests ## All tests
	@dev/python-env.sh
	proto/generate.sh --check
	$(TEST)
	$(PYTEST) Tests/GatewayTests/python
	$(PYTEST) Tests/KubernetesTests
	$(PYTEST) Tests/TelemetryTests/python
	$(PYTEST) Tests/EvaluationTests/python
	$(PYTEST) benchmarks/micro benchmarks/test_comparisons.py
	@if [ -x Tests/CVisionTests/run.sh ]; then Tests/CVisionTests/run.sh; else echo "skipped: Tests/CVisionTests/run.sh is not there"; fi
	$(MAKE) --no-print-directory micro

.PHONY: test-gateway
test-gateway: ## The page in a browser, and the API against its description
	@dev/setup.sh test
	@dev/python-env.sh
	$(BUILD)
	$(PYTEST) Tests/GatewayTests/python

.PHONY: test-k8s
test-k8s: ## The Kubernetes manifests: schemas, policies, and what the executable says to them
	@dev/setup.sh test
	@dev/python-env.sh
	$(BUILD) --product framemesh
	$(PYTEST) Tests/KubernetesTests

# Takes root, and no Docker engine.
.PHONY: image-test
image-test: ## The Dockerfile, built with buildah on a base by debootstrap; every role started from it
	@dev/setup.sh image
	@dev/python-env.sh
	$(BUILD) --product framemesh
	$(BUILD) --product framemesh-video
	Tests/ImageTests/run.sh

.PHONY: sbom
sbom: build ## What is in an image, as CycloneDX: .build/framemesh.cdx.json
	dev/image-root.sh .build/release .build/image
	dev/sbom.py .build/image > .build/framemesh.cdx.json

.PHONY: test-observability
test-observability: ## Metrics of a mesh as Prometheus reads them
	@dev/setup.sh test
	@dev/python-env.sh
	$(BUILD)
	$(PYTEST) Tests/TelemetryTests/python

# One build of RPC and its tests with the address and undefined-behaviour sanitizers, and with the coverage that
# libFuzzer is guided by. FUZZ_SECONDS is for each target; what it finds is kept in Tests/FuzzTests/cases.
FUZZ_TARGETS := deframer server client messages reflection
FUZZ_SECONDS ?= 20
COVERAGE := edge,trace-cmp,inline-8bit-counters
RESOURCES = $(shell swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
SANITIZER_ENV = BUILD_PART=rpc FUZZER_RUNTIME=$(RESOURCES)/clang/lib/linux/libclang_rt.fuzzer_no_main-$(shell uname -m).a
SANITIZER_FLAGS := -c release --sanitize address --scratch-path .build-asan
SANITIZER_BUILD = $(SANITIZER_ENV) swift build $(SANITIZER_FLAGS) --build-tests -Xswiftc -enable-testing \
    -Xswiftc -sanitize-coverage=$(COVERAGE) -Xcc -fsanitize-coverage=$(COVERAGE),pc-table \
    -Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined
# Leaks are not looked for: Swift keeps pointers packed with other bits, and LeakSanitizer takes what they point to for
# lost (a TLS context that is kept, the queue of NIO's threads). What connections leave behind is told by weak references
# in ServerObjectsTests and ClientObjectsTests.
SANITIZER_TEST = $(SANITIZER_ENV) ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no \
    dev/swift-tests.py $(SANITIZER_FLAGS) --skip-build --no-parallel

.PHONY: build-sanitized
build-sanitized: ## What `make sanitize` runs
	@dev/setup.sh test
	$(SANITIZER_BUILD)

.PHONY: sanitize
sanitize: build-sanitized ## HTTP2, RPC and the C code they use: tests and fuzzers under sanitizers
	$(SANITIZER_TEST) --filter '$(SANITIZED)'
	printf '%s\n' $(FUZZ_TARGETS) | xargs -P 2 -I TARGET $(MAKE) --no-print-directory fuzz-TARGET

# What memory is and how long things take says nothing there.
.PHONY: sanitize-hostile
sanitize-hostile: build-sanitized ## Hostile peers and other languages against processes under sanitizers
	@dev/python-env.sh
	HOSTILE_IGNORE_MEMORY=1 $(SANITIZER_TEST) --filter '$(SANITIZED_PROCESSES)'

# One of FUZZ_TARGETS, in the build that `make sanitize` makes. Each has one thread; `swift test` would let no other one
# run beside it.
fuzz-%:
	FUZZ_TARGET=$* FUZZ_SECONDS=$(FUZZ_SECONDS) ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no \
	    .build-asan/release/framemeshPackageTests.xctest --testing-library swift-testing --filter 'FuzzTests.fuzz' \
	    >.build-asan/fuzz-$*.log 2>&1; status=$$?; cat .build-asan/fuzz-$*.log; exit $$status

# Everything of ours and its Swift packages is built for it; the Swift runtime is not, so that a preloaded library says
# what it orders (Tests/thread-sanitizer-runtime.c). A race ends the run with 66.
THREAD_FLAGS := -c release --sanitize thread --scratch-path .build-tsan
THREAD_OPTIONS = suppressions=$(CURDIR)/Tests/thread-sanitizer.supp history_size=4

.PHONY: thread-sanitize
thread-sanitize: ## HTTP2, RPC and Mesh: tests under the thread sanitizer
	@dev/setup.sh test
	BUILD_PART=rpc swift build $(THREAD_FLAGS) --build-tests -Xswiftc -enable-testing
	clang -O1 -shared -fPIC -o .build-tsan/runtime.so Tests/thread-sanitizer-runtime.c
	LD_PRELOAD=$(CURDIR)/.build-tsan/runtime.so TSAN_OPTIONS="$(THREAD_OPTIONS)" SWIFT_BACKTRACE=enable=no \
	    .build-tsan/release/framemeshPackageTests.xctest --testing-library swift-testing \
	    --experimental-maximum-parallelization-width 8 --filter '$(THREADED)'

# The core's own are in Tests/CVisionTests. LeakSanitizer cannot look into a process that has given up its rights.
SANITIZED_VIDEO := .build/sanitized/framemesh-video

.PHONY: sanitize-video
sanitize-video: build-tests ## The video helper under sanitizers, with the tests of reading and writing videos
	mkdir -p $(dir $(SANITIZED_VIDEO))
	clang++ -std=c++17 -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -DFRAMEMESH_SANITIZED -rdynamic -o $(SANITIZED_VIDEO) Sources/framemesh-video/*.cpp \
	    -lavformat -lavcodec -lswscale -lavutil
	FRAMEMESH_VIDEO_HELPER=$(CURDIR)/$(SANITIZED_VIDEO) $(TEST) --filter '^VideoTests\.'

.PHONY: test-full
test-full: test thread-sanitize sanitize-hostile sanitize-video ## All of the above, the large attacks, a soak of a minute, damage to every byte, and the format check
	swift format lint -s -r $(SOURCES)
	HOSTILE_SCALE=10 HOSTILE_SOAK_SECONDS=60 $(TEST) --filter '^HostileTests\.'
	DAMAGE_EVERYWHERE=1 $(TEST) --filter 'DamagedExchangeTests'

.PHONY: micro
micro: ## What the hot pieces cost in instructions, beside thresholds
	@dev/setup.sh test
	HOT_PIECES=1 $(BUILD) --product hot-pieces
	benchmarks/micro/run.py $(MICRO)

.PHONY: bench
bench: build ## All comparisons of benchmarks/, each with a time limit (ONLY=… for some); more than an hour
	benchmarks/run.sh $(ONLY)

# Network namespaces as pods: needs root; says so and does nothing where they are not to be had.
CHAOS_BUILD = $(BUILD) --product framemesh && $(BUILD) --product chaos-node && $(BUILD) --product chaos-load

.PHONY: digits-tensorflow
digits-tensorflow: ## Trains the bundled model digits-keras anew, with TensorFlow from PyPI (dev/digits)
	dev/digits/run-tensorflow.sh

.PHONY: chaos
chaos: ## A mesh under faults, all scenarios; prints what was measured (SCENARIOS=… for some)
	@dev/setup.sh test
	$(CHAOS_BUILD)
	benchmarks/chaos/run.py $(SCENARIOS)

.PHONY: chaos-short
chaos-short: ## The short version: counts, order and content decide
	@dev/setup.sh test
	$(CHAOS_BUILD)
	benchmarks/chaos/run.py --short $(SCENARIOS)

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
	    .build/release/framemesh_Gateway.resources/Page .build/release/framemesh_Gateway.resources/openapi.yaml \
	    $(DESTDIR)$(PREFIX)/share/framemesh/

.PHONY: clean
clean: ## Everything that was built
	rm -rf .build .build-asan .build-tsan .venv
