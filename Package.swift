// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The arrows between modules. They point down only; Tests/ArchitectureTests reads the import lines and fails on a wrong one.

/// Every Swift target: the language as it will be, and the word `unsafe` on every line that needs watching.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatWarning("StrictMemorySafety", as: .error),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// The library of libFuzzer without its `main`, in a build for fuzzing.
let fuzzerRuntime = Context.environment["FUZZER_RUNTIME"]

/// `BUILD_PART=rpc` leaves out everything that RPC does not need, for builds with sanitizers and for work on it.
let parts: [String: Set<String>] = [
    "rpc": [
        "CNghttp2", "CProtobufC", "CBoundedProtobuf", "CZlib", "CEventDescriptor", "CAres", "CMessages", "CRPCMessages",
        "CTraceMessages", "HTTP2", "RPC", "Threads", "ThreadsTests",
        "Messages",
        "ProtobufStructs", "Mesh", "Services", "TestSupport", "HTTP2Tests", "RPCTests", "MessagesTests", "MeshTests",
        "ConformanceTests", "CInteropMessages", "rpc-interop", "HostileTests", "hostile-target", "FuzzTests",
    ]
]

/// oneDNN 2, Debian's libdnnl-dev. Where it is missing, or another version whose interface is another one, OpenCV's own
/// layers are all there is.
let hasOneDNN: Bool = {
    let header = try? String(contentsOfFile: "/usr/include/oneapi/dnnl/dnnl_version.h", encoding: .utf8)
    return header?.split(separator: "\n").contains { line in
        line.split(whereSeparator: \.isWhitespace) == ["#define", "DNNL_VERSION_MAJOR", "2"]
    } ?? false
}()

let package = Package(
    name: "framemesh",
    products: [
        .executable(name: "framemesh", targets: ["framemesh"]),
        .executable(name: "framemesh-video", targets: ["framemesh-video"]),
        .executable(name: "rpc-interop", targets: ["rpc-interop"]),
        .library(name: "RPC", targets: ["HTTP2", "RPC"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        // C libraries of the system, one module each.
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CEventDescriptor"),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),

        // C that proto/generate.sh writes from proto/; never edited.
        .target(name: "CMessages", dependencies: ["CProtobufC"]),
        .target(name: "CRPCMessages", dependencies: ["CProtobufC"]),
        .target(name: "CInteropMessages", dependencies: ["CProtobufC"]),
        .target(name: "CTraceMessages", dependencies: ["CProtobufC"]),
        // libpq, loaded when a gateway needs it.
        .target(name: "CPostgres"),
        // protobuf-c with limits, for messages of peers.
        .target(name: "CBoundedProtobuf", dependencies: ["CProtobufC"]),

        // The structs that protobuf-c generates: packed from an arena, unpacked within limits.
        .target(
            name: "ProtobufStructs", dependencies: ["CBoundedProtobuf", "CProtobufC", nioCore], swiftSettings: strict),

        // Bytes in, HTTP/2 events out; the NIO handler. Knows nothing of gRPC.
        .target(name: "HTTP2", dependencies: ["CNghttp2", nioCore], swiftSettings: strict),
        // Threads of our own, for what blocks.
        .target(name: "Threads", swiftSettings: strict),
        // gRPC calls: framing, status, deadlines, server, client, health.
        .target(
            name: "RPC",
            dependencies: [
                "HTTP2", "CRPCMessages", "ProtobufStructs", "CZlib", "CEventDescriptor", nioCore, nioPosix, nioSSL,
                nioTLS, logging,
                metrics, crypto,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),

        // The shared words (Frame, Box, Detection, Track) and their wire form.
        .target(name: "Messages", dependencies: ["CMessages", "ProtobufStructs", nioCore], swiftSettings: strict),
        // Method names, typed clients, handler protocols.
        .target(name: "Services", dependencies: ["RPC", "Messages", nioCore, logging, metrics], swiftSettings: strict),
        // Which endpoint: resolvers, subchannels, balancing, retries. Never sees a frame.
        .target(
            name: "Mesh", dependencies: ["RPC", "Threads", "CAres", nioCore, nioPosix, logging, metrics],
            swiftSettings: strict),

        // Spans of calls and frames, and their way to a receiver (OTLP).
        .target(
            name: "Traces",
            dependencies: [
                "RPC", "CTraceMessages", "ProtobufStructs", nioCore, logging, metrics, tracing,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),

        // C++ image core behind one C header.
        .target(
            name: "CVision",
            exclude: hasOneDNN ? [] : ["onednn"],
            cxxSettings: [.unsafeFlags(["-isystem", "/usr/include/opencv4"])]
                + (hasOneDNN ? [.define("VISION_ONEDNN")] : []),
            linkerSettings: [
                .linkedLibrary("opencv_core"), .linkedLibrary("opencv_imgproc"), .linkedLibrary("opencv_dnn"),
                .linkedLibrary("turbojpeg"), .linkedLibrary("png16"), .linkedLibrary("webp"),
            ] + (hasOneDNN ? [.linkedLibrary("dnnl"), .linkedLibrary("gomp")] : [])),
        // Image bytes to pixels to detections; models and their manifests.
        .target(
            name: "Vision",
            dependencies: ["CVision", "Messages", nioCore, yams, crypto],
            swiftSettings: strict),

        // Detections over time become tracks; pure arithmetic.
        .target(name: "Tracking", dependencies: ["Messages"], swiftSettings: strict),
        // How right findings are beside the truth: mAP, top-k, MOTA and IDF1; pure arithmetic.
        .target(name: "Evaluation", dependencies: ["Messages", "Tracking"], swiftSettings: strict),
        // How measurements are planned, judged and told; no sockets.
        .target(
            name: "Bench", dependencies: [.product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: strict),
        // Frames with timestamps, in and out, through the helper framemesh-video.
        .target(name: "Video", dependencies: ["Messages", "Threads", nioCore, nioPosix], swiftSettings: strict),

        // Queue, batcher, workers; serves Vision over RPC.
        .target(
            name: "Node",
            dependencies: [
                "Services", "RPC", "Messages", "Vision", "Telemetry", "Threads", "Traces", nioCore, logging, metrics,
                tracing,
            ],
            swiftSettings: strict),
        // Pipelines: admit, fan out, merge, track, put in order.
        .target(
            name: "Coordination",
            dependencies: [
                "Mesh", "Services", "RPC", "Messages", "Tracking", "Telemetry", "Traces", nioCore, logging, metrics,
                tracing,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),

        // Calls coordinators: unary, and streams that outlive the coordinator they began at.
        .target(
            name: "Client",
            dependencies: [
                "Mesh", "Services", "RPC", "Messages", nioCore, nioPosix, logging,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),

        // Whom we may call because somebody names a URL.
        .target(name: "Outbound", dependencies: ["Mesh", nioCore], swiftSettings: strict),
        // The frames of a video, a file or a live source, as one stream to coordinators.
        .target(
            name: "Playback",
            dependencies: [
                "Client", "Outbound", "RPC", "Results", "Video", "Vision", "Messages", nioCore, nioPosix,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        // How answers look to people and programs: JSON lines, CSV, MOT, boxes drawn on a picture.
        .target(name: "Results", dependencies: ["Messages", "Vision", nioCore], swiftSettings: strict),
        // Zones and lines in a picture, and what tracks do there; pure arithmetic.
        .target(name: "Areas", dependencies: ["Messages"], swiftSettings: strict),
        // Metrics of a process as Prometheus reads them, and its log.
        .target(
            name: "Telemetry", dependencies: [logging, metrics, nioCore, nioPosix, nioHTTP1], swiftSettings: strict),
        // What was asked for and how far it is, in SQLite or PostgreSQL; who works on it (leases).
        .target(
            name: "Jobs",
            dependencies: [
                "CPostgres", nioCore, nioPosix, logging, .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: strict),
        // HTTP for people and programs: pictures, videos, live streams, and the page.
        .target(
            name: "Gateway",
            dependencies: [
                "Areas", "Client", "Jobs", "Mesh", "Messages", "Outbound", "Playback", "RPC", "Results", "Services",
                "Telemetry", "Traces", "Video", "Vision",
                nioCore, nioPosix, nioSSL, nioHTTP1, nioHTTPTypes, httpTypes, logging, metrics, tracing, crypto,
                hummingbird, hummingbirdCore, asyncHTTPClient,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            resources: [.copy("Page"), .copy("openapi.yaml")], swiftSettings: strict),

        // FFmpeg, in a process of its own.
        .executableTarget(
            name: "framemesh-video",
            linkerSettings: [
                .linkedLibrary("avformat"), .linkedLibrary("avcodec"), .linkedLibrary("swscale"),
                .linkedLibrary("avutil"),
                // Versioned symbols that it puts before those of a library are shown to FFmpeg by their names alone.
                .unsafeFlags(
                    [
                        "gnutls_handshake", "gnutls_certificate_set_x509_system_trust",
                        "gnutls_certificate_set_x509_trust_file",
                    ].flatMap { ["-Xlinker", "--export-dynamic-symbol=\($0)"] }),
            ]),
        // gRPC's interoperability tests, as a server and a client.
        .executableTarget(
            name: "rpc-interop",
            dependencies: [
                "RPC", "CInteropMessages", "ProtobufStructs", nioCore, nioPosix, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // The command: configuration, lifecycles, composition.
        .executableTarget(
            name: "framemesh",
            dependencies: [
                "Bench", "Evaluation", "Gateway", "Jobs", "Node", "Coordination", "Client", "Outbound", "Playback",
                "Results", "Telemetry", "Threads", "Tracking", "Traces",
                "Video", "Vision", "Mesh", "Services",
                "RPC",
                "Messages", nioCore, nioPosix, nioSSL, nioTLS, nioHTTP1, logging, metrics, yams, crypto,
                asyncHTTPClient,
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            resources: [.copy("Resources/models"), .copy("Resources/demo")],
            swiftSettings: strict),

        .testTarget(name: "ArchitectureTests", swiftSettings: strict),
        .testTarget(name: "HTTP2Tests", dependencies: ["HTTP2", nioCore, nioEmbedded], swiftSettings: strict),
        .testTarget(
            name: "RPCTests",
            dependencies: [
                "RPC", "HTTP2", "TestSupport", nioCore, nioPosix, nioEmbedded, nioSSL, logging,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MessagesTests",
            dependencies: [
                "Messages", "CMessages", "CRPCMessages", "CInteropMessages", "CTraceMessages", "CBoundedProtobuf",
                "CProtobufC", "TestSupport", nioCore,
            ], swiftSettings: strict),
        .testTarget(
            name: "MeshTests", dependencies: ["Mesh", "RPC", "TestSupport", nioCore, nioPosix, logging],
            swiftSettings: strict),
        .testTarget(
            name: "TracesTests",
            dependencies: [
                "Traces", "RPC", "CTraceMessages", "ProtobufStructs", "TestSupport", nioCore, nioPosix, logging,
                metrics,
                tracing, .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        // Tests/CVisionTests, in C, is built by its own run.sh, under sanitizers.
        .testTarget(
            name: "VisionTests",
            dependencies: ["GoldenSupport", "Vision", "Messages", nioCore, crypto],
            exclude: ["Fixtures", "requirements.txt"], swiftSettings: strict),
        .testTarget(
            name: "TrackingTests", dependencies: ["Tracking", "Evaluation", "Messages"], exclude: ["Sequences"],
            swiftSettings: strict),
        .testTarget(
            name: "EvaluationTests", dependencies: ["Evaluation", "Messages", "Tracking"], exclude: ["python"],
            swiftSettings: strict),
        .testTarget(name: "BenchTests", dependencies: ["Bench"], swiftSettings: strict),
        .testTarget(name: "ThreadsTests", dependencies: ["Threads"], swiftSettings: strict),
        .testTarget(
            name: "VideoTests", dependencies: ["Video", "Messages", "TestSupport", nioCore], swiftSettings: strict),
        .testTarget(
            name: "NodeTests",
            dependencies: [
                "Node", "Services", "RPC", "Messages", "Telemetry", "Vision", nioCore, nioPosix, logging, metrics,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CoordinationTests",
            dependencies: [
                "Coordination", "Mesh", "Messages", "Services", "RPC", "Telemetry", "TestSupport", "Traces", nioCore,
                nioPosix, logging, metrics, tracing,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ClientTests",
            dependencies: [
                "Client", "Coordination", "Mesh", "Messages", "Services", "RPC", nioCore, nioPosix, logging,
            ],
            swiftSettings: strict),
        .testTarget(name: "OutboundTests", dependencies: ["Outbound", "Mesh"], swiftSettings: strict),
        .testTarget(
            name: "PlaybackTests", dependencies: ["Playback", "RPC", "Video", nioCore], swiftSettings: strict),
        .testTarget(
            name: "ResultsTests", dependencies: ["Results", "Messages", "Vision", nioCore], swiftSettings: strict),
        .testTarget(name: "AreasTests", dependencies: ["Areas", "Messages"], swiftSettings: strict),
        .testTarget(
            name: "TelemetryTests", dependencies: ["Telemetry", "TestSupport", logging, metrics, nioCore, nioPosix],
            exclude: ["python"], swiftSettings: strict),
        .testTarget(
            name: "JobsTests", dependencies: ["Jobs", "TestSupport", nioCore, nioPosix, logging], swiftSettings: strict),
        // A gateway with a real coordinator and nodes behind it, over HTTP.
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Areas", "Jobs", "Client", "Coordination", "Node", "Mesh", "Messages", "Outbound",
                "Playback", "Services", "RPC", "Vision", "Results", "Telemetry", "TestSupport", nioCore, nioHTTP1,
                nioPosix, nioEmbedded, httpTypes, logging,
                hummingbird, hummingbirdCore, asyncHTTPClient,
            ],
            exclude: ["python"], swiftSettings: strict),
        // What the command decides, without processes.
        .testTarget(
            name: "FramemeshTests",
            dependencies: [
                "framemesh", "Bench", "Client", "Coordination", "Mesh", "Messages", "Node", "Playback", "RPC",
                "Services", "Telemetry", "TestSupport", "Vision", nioCore, nioPosix, logging, asyncHTTPClient,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            exclude: ["Models/file_server.py"], swiftSettings: strict),
        // Stock gRPC in Python (dev/python-env.sh) against ours, both ways.
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "TestSupport", "HTTP2", "RPC", "Mesh", "Services", "Messages", "rpc-interop", nioCore, nioPosix,
                logging,
            ],
            exclude: ["python"], swiftSettings: strict),
        // A process that offers our RPC to raw frames that mean harm (Python), and one that calls a hostile server.
        .testTarget(
            name: "HostileTests", dependencies: ["TestSupport", "hostile-target", "RPC"], exclude: ["python"],
            swiftSettings: strict),
        .executableTarget(
            name: "hostile-target", dependencies: ["RPC", "HTTP2", nioCore, nioPosix, logging, metrics],
            path: "Tests/HostileTarget",
            swiftSettings: strict),
        // Kept and damaged inputs; with FUZZER_RUNTIME (`make sanitize`) also libFuzzer, for coverage-guided search.
        .testTarget(
            name: "FuzzTests", dependencies: ["RPC", "HTTP2", "Messages", nioCore, nioEmbedded, logging],
            exclude: ["seeds", "cases"], swiftSettings: strict + (fuzzerRuntime == nil ? [] : [.define("FUZZING")]),
            linkerSettings: fuzzerRuntime.map {
                [
                    .unsafeFlags(["-Xlinker", "--whole-archive", "-Xlinker", $0, "-Xlinker", "--no-whole-archive"]),
                    .linkedLibrary("stdc++"),
                ]
            }),
        // Real processes: the built executables, real pictures, kill -9.
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "GoldenSupport", "TestSupport", "Messages", "Services", "RPC", "Vision", nioCore, nioPosix, logging,
            ],
            exclude: ["video_server.py"], swiftSettings: strict),
        // benchmarks/chaos: a node that waits instead of computing, the load on a mesh of them, and their pictures.
        .target(
            name: "ChaosFrame", dependencies: ["Messages", nioCore], path: "Tests/ChaosFrame", swiftSettings: strict),
        .executableTarget(
            name: "chaos-node",
            dependencies: [
                "ChaosFrame", "Node", "Vision", "Messages", "RPC", nioPosix, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Tests/ChaosNode", swiftSettings: strict),
        .executableTarget(
            name: "chaos-load",
            dependencies: [
                "ChaosFrame", "Client", "Mesh", "Services", "Messages", "RPC", nioCore, nioPosix, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Tests/ChaosLoad", swiftSettings: strict),
        // The tracker alone, for benchmarks/tracking.
        .executableTarget(
            name: "tracker-run",
            dependencies: [
                "Evaluation", "Tracking", "Messages",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/TrackerRun", swiftSettings: strict),
        // What is done for each message, picture, frame or call, alone, for benchmarks/micro. It looks into modules as tests
        // do: built with `-enable-testing`, as the Makefile builds everything.
        .target(
            name: "CHotPieces", dependencies: ["CVision"], path: "Tests/CHotPieces",
            cxxSettings: [.unsafeFlags(["-isystem", "/usr/include/opencv4"])]),
        .executableTarget(
            name: "hot-pieces",
            dependencies: [
                "CHotPieces", "Coordination", "HTTP2", "Mesh", "Messages", "RPC", "Services", "Telemetry", "Tracking",
                "Vision", nioCore, nioEmbedded, nioPosix, logging, metrics,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/HotPieces", swiftSettings: strict),
        // What is right for the golden pictures, how near to it an answer has to be, and the pictures in other forms.
        .target(
            name: "GoldenSupport", dependencies: ["Vision", "Messages", nioCore], path: "Tests/GoldenSupport",
            swiftSettings: strict),
        // Child processes of tests, and hosts that fall silent.
        .target(
            name: "TestSupport", dependencies: ["RPC", logging, nioCore, nioPosix], path: "Tests/TestSupport",
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)

if let part = Context.environment["BUILD_PART"].flatMap({ parts[$0] }) {
    package.targets.removeAll { !part.contains($0.name) }
    package.products.removeAll { $0.name.hasPrefix("framemesh") }
}

// It looks at what is internal, which only a build with `-enable-testing` shows: `make micro`.
if Context.environment["HOT_PIECES"] == nil {
    package.targets.removeAll { ["hot-pieces", "CHotPieces"].contains($0.name) }
}

// What is tested is optimized. Tests are compiled as they are written, which takes half the time; fuzzers take millions
// of turns.
for target in package.targets where target.type == .test && target.name != "FuzzTests" {
    target.swiftSettings?.append(.unsafeFlags(["-Onone"]))
}
