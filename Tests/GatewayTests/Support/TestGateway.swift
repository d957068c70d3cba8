import AsyncHTTPClient
import Client
import Coordination
import Foundation
import Logging
import Mesh
import NIOCore
import NIOHTTP1
import NIOPosix
import Node
import RPC
import Services
import TestSupport
import Vision

@testable import Gateway

/// Where things are.
enum Place {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let resources = root.appending(path: "Sources/framemesh/Resources")
    static let page = root.appending(path: "Sources/Gateway/Page")
    static let apiDescription = root.appending(path: "Sources/Gateway/openapi.yaml")
    /// The folder that this test bundle was built into: the executables are beside it.
    static let products = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent()

    static func demo(_ name: String) throws -> Data {
        try Data(contentsOf: resources.appending(path: "demo/\(name)"))
    }
}

/// Coordinators and nodes with the bundled models, in this process, over real sockets. Shared by all tests that need one;
/// they end with the process.
struct BundledMesh: Sendable {
    let target: Target
    let detectors: Target

    /// Of tests that need none: nobody listens there.
    static let nowhere = "static:///127.0.0.1:1"

    private static let started = Task { try await start() }
    /// Of videos and streams, which fill the queue of its one worker.
    static var shared: BundledMesh { get async throws { try await started.value } }
    private static let startedForPictures = Task { try await start() }
    /// Of pictures, which a queue full of frames would refuse.
    static var ofPictures: BundledMesh { get async throws { try await startedForPictures.value } }
    private static let startedWithoutClassifiers = Task {
        try await coordinator(
            detectors: try await ofPictures.detectors, classifiers: try Target(parsing: nowhere))
    }
    /// Another coordinator of the same detector, with classifiers that are nowhere.
    static var withoutClassifiers: BundledMesh { get async throws { try await startedWithoutClassifiers.value } }
    private static let startedForDetectionAlone = Task {
        try await coordinator(detectors: try await ofPictures.detectors, classifiers: nil)
    }
    /// The same, which is told of no classifiers at all.
    static var forDetectionAlone: BundledMesh { get async throws { try await startedForDetectionAlone.value } }

    private static let startedWithoutNodes = Task {
        try await coordinator(detectors: try Target(parsing: nowhere), classifiers: try Target(parsing: nowhere))
    }
    /// A coordinator that knows all pipelines and has no nodes: what waits for them waits for long.
    static var withoutNodes: BundledMesh { get async throws { try await startedWithoutNodes.value } }

    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }

    private static func start() async throws -> BundledMesh {
        let group = MultiThreadedEventLoopGroup.singleton
        let store = try ModelStore(
            bundled: Place.resources.appending(path: "models").path, folders: [],
            pulled: FileManager.default.temporaryDirectory.path)
        var targets: [NodeRole: Target] = [:]
        for role in [NodeRole.detector, .classifier] {
            let model = role == .detector ? "digits-detector" : "digits-classifier"
            var configuration = NodeConfiguration(role: role, store: store, models: [try store.manifest(named: model)])
            configuration.listen = try ServerAddress(parsing: "127.0.0.1:0")
            configuration.workers = 1
            let node = try await NodeServer.start(configuration, group: group, logger: logger)
            // Runs as long as the process.
            Task { try await node.run() }
            targets[role] = try Target(parsing: node.address.endpointName)
        }
        guard let detectors = targets[.detector], let classifiers = targets[.classifier] else {
            throw Failure("no nodes")
        }
        return try await coordinator(detectors: detectors, classifiers: classifiers)
    }

    /// Another coordinator of the same nodes.
    static func another(_ configure: (inout CoordinatorConfiguration) -> Void) async throws -> BundledMesh {
        let nodes = try await shared.detectors
        return try await coordinator(detectors: nodes, classifiers: nodes, configure).mesh
    }

    /// One more that ends when `body` calls what it is given.
    static func passing<Value: Sendable>(
        _ body: (BundledMesh, _ end: @Sendable @escaping () -> Void) async throws -> Value
    ) async throws -> Value {
        let nodes = try await shared.detectors
        let (mesh, running) = try await coordinator(detectors: nodes, classifiers: nodes) {
            $0.server.drainTimeout = .zero
        }
        defer { running.cancel() }
        return try await body(mesh) { running.cancel() }
    }

    private static func coordinator(detectors: Target, classifiers: Target?) async throws -> BundledMesh {
        try await coordinator(detectors: detectors, classifiers: classifiers) { _ in }.mesh
    }

    private static func coordinator(
        detectors: Target, classifiers: Target?, _ configure: (inout CoordinatorConfiguration) -> Void
    ) async throws -> (mesh: BundledMesh, running: Task<Void, any Error>) {
        var configuration = try configuration(detectors: detectors, classifiers: classifiers)
        configure(&configuration)
        let coordinator = try await Coordinator.start(
            configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let running = Task { try await coordinator.run() }
        let target = try Target(parsing: coordinator.address.endpointName)
        return (BundledMesh(target: target, detectors: detectors), running)
    }
}

extension BundledMesh {
    /// Of a coordinator of these nodes.
    static func configuration(detectors: Target, classifiers: Target?) throws -> CoordinatorConfiguration {
        var configuration = CoordinatorConfiguration(detectors: detectors, classifiers: classifiers)
        configuration.listen = try ServerAddress(parsing: "127.0.0.1:0")
        configuration.channel.readyTimeout = .seconds(30)
        // Many tests share one worker: a slow machine is no reason to refuse a picture.
        configuration.frameDeadline = .seconds(300)
        return configuration
    }
}

/// A gateway of this process on a free port, for one test.
struct TestGateway: Sendable {
    let address: SocketAddress
    let routes: [RouteTable.Route]
    let data: URL

    var base: String { "http://\(address.ipAddress!):\(address.port!)" }

    /// Runs `body` with a gateway, and ends the gateway however `body` ends.
    /// - Parameter mesh: nil: there is no coordinator.
    static func with<Value: Sendable>(
        mesh: BundledMesh? = nil, logger: Logger = BundledMesh.logger,
        configure: (inout GatewayConfiguration) throws -> Void = { _ in },
        _ body: (TestGateway) async throws -> Value
    ) async throws -> Value {
        let data = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        var configuration = GatewayConfiguration(
            listen: try ServerAddress(parsing: "127.0.0.1:0"),
            coordinators: try mesh?.target ?? Target(parsing: BundledMesh.nowhere), page: Place.page.path,
            apiDescription: Place.apiDescription.path, data: data.path)
        configuration.calling.channel.readyTimeout = .seconds(60)
        configuration.limits.connectPatience = mesh == nil ? .milliseconds(1) : .seconds(60)
        configuration.videoHelper = Place.products.appending(path: "framemesh-video").path
        configuration.drainTimeout = .milliseconds(200)
        try configure(&configuration)
        let gateway = try await GatewayServer.start(
            configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let running = Task { try await gateway.run() }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(
                try await body(TestGateway(address: gateway.address, routes: gateway.routes, data: data)))
        } catch {
            outcome = .failure(error)
        }
        running.cancel()
        _ = await running.result
        return try outcome.get()
    }

    /// An answer, all of it.
    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var body: Data

        var text: String { String(decoding: body, as: UTF8.self) }

        func json() throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: body) as? [String: Any] else {
                throw Failure("no JSON object: \(text.prefix(200))")
            }
            return object
        }
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send("GET", path, headers: headers)
    }

    func post(_ path: String, _ body: Data, type: String?, headers: [String: String] = [:]) async throws -> Answer {
        var headers = headers
        headers["Content-Type"] = type
        return try await send("POST", path, headers: headers, body: body)
    }

    /// - Parameter path: with its query.
    func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: Data? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(300))
        let bytes = try await response.body.collect(upTo: 256 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { "\($0), \($1)" }),
            body: Data(bytes.readableBytesView))
    }
}
