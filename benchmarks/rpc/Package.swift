// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the tools of the benchmarks never enter the main build.

let package = Package(
    name: "rpc-benchmarks",
    dependencies: [
        .package(name: "framemesh", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        // What is measured: our server with a synchronous and an async handler.
        .executableTarget(
            name: "ours-server",
            dependencies: [
                .product(name: "RPC", package: "framemesh"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        // Load from our client.
        .executableTarget(
            name: "ours-client",
            dependencies: [
                .product(name: "RPC", package: "framemesh"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
