import Logging
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
import Testing
import Vision

@testable import Node

/// A node on a free port of this process, and a client of it.
struct TestNode {
    let server: NodeServer
    let running: Task<Void, any Error>
    let connection: RPCConnection
    var client: NodeClient { NodeClient(connection) }

    /// Beyond it something hangs; machines that build meanwhile are slow.
    static let patience = Duration.seconds(270)
    /// Takes a worker long enough for a test to look at it.
    static let manyRegions = 256

    static let group = MultiThreadedEventLoopGroup.singleton
    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }

    static func configuration(_ role: NodeRole) throws -> NodeConfiguration {
        let store = try TestModels.store()
        let models = try role.tasks.map { task in
            try store.manifest(named: task == .detection ? TestModels.detector : TestModels.classifier)
        }
        return NodeConfiguration(role: role, store: store, models: models)
    }

    static func with(
        _ role: NodeRole, configure: (inout NodeConfiguration) throws -> Void = { _ in },
        _ body: (TestNode) async throws -> Void
    ) async throws {
        var configuration = try configuration(role)
        try configure(&configuration)
        let server = try await NodeServer.start(configuration, group: group, logger: logger)
        let running = Task { try await server.run() }
        let outcome: Result<Void, any Error>
        do {
            let node = TestNode(server: server, running: running, connection: try await connect(to: server.address))
            outcome = .success(try await body(node))
            node.connection.close()
        } catch {
            outcome = .failure(error)
        }
        running.cancel()
        _ = try? await running.value
        try outcome.get()
    }

    static func connect(to address: SocketAddress) async throws -> RPCConnection {
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(30)
        return try await RPCConnection.connect(
            to: address, configuration: configuration, group: group, logger: logger)
    }

    func detect(
        _ bytes: ByteBuffer, sequence: UInt64 = 0, model: String = "", minConfidence: Float = 0
    ) async throws -> DetectResponse {
        try await client.detect(
            DetectRequest(
                frame: TestModels.frame(bytes, sequence: sequence), model: model, minConfidence: minConfidence),
            deadline: .after(Self.patience))
    }

    func classify(
        _ bytes: ByteBuffer, sequence: UInt64 = 0, regions: [Box] = [], topK: Int = 0
    ) async throws -> ClassifyResponse {
        try await client.classify(
            ClassifyRequest(frame: TestModels.frame(bytes, sequence: sequence), regions: regions, topK: topK),
            deadline: .after(Self.patience))
    }

    func both(
        _ bytes: ByteBuffer, sequence: UInt64 = 0, boxes: Int = 0, topK: Int = 0,
        _ change: (inout FusedRequest) -> Void = { _ in }
    ) async throws -> FusedResponse {
        var request = FusedRequest(frame: TestModels.frame(bytes, sequence: sequence), topK: topK, boxes: boxes)
        change(&request)
        return try await client.fused(request, deadline: .after(Self.patience))
    }

    func describe() async throws -> NodeDescription { try await client.describe(deadline: .after(Self.patience)) }

    /// Returns once the node says so of itself; it answers on its event loop, also with all workers busy.
    func until(_ condition: (NodeDescription) -> Bool) async throws {
        while !condition(try await describe()) { try? await Task.sleep(for: .milliseconds(1)) }
    }

    /// Work that keeps a worker busy: many regions of one picture.
    func occupy(_ bytes: ByteBuffer) -> Task<ClassifyResponse, any Error> {
        let regions = Array(repeating: Box(x: 0, y: 0, width: 200, height: 200), count: Self.manyRegions)
        return Task { try await classify(bytes, regions: regions) }
    }
}

/// Tests with real nodes: one after the other, since each would use all cores.
@Suite(.serialized, .timeLimit(.minutes(10))) enum RealNodes {}
