import Logging
import Mesh
import Messages
import NIOCore
import RPC
import Services
import TestSupport
import Testing

@testable import Coordination

/// What is no message of the schema, or one beyond its limits, counts against who sent it.
@Suite struct UnreadableMessageTests {
    private static let garbage = Payload(ByteBuffer(bytes: [0xff]))

    private struct Broken: Caller {
        var log: Logger?

        func call(_ path: String, _ request: Payload, options: CallOptions) async throws -> ChannelResponse {
            ChannelResponse(response: UnaryResponse(UnreadableMessageTests.garbage), endpoint: "node-7", retries: 0)
        }
    }

    private static func lines(of log: LogRecorder) -> [LogRecorder.Line] {
        log.lines.filter { $0.metadata["reason"] == "protobuf" }
    }

    @Test func aRequestIsItsClientsMistake() {
        let error = #expect(throws: RPCError.self) { try DetectRequest.decode(Self.garbage) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.limit == .protobuf)
    }

    @Test func anAnswerIsItsServersMistake() async {
        let log = LogRecorder()
        let node = NodeClient(Broken(log: log.logger))
        let error = await #expect(throws: RPCError.self) { try await node.describe(deadline: nil) }
        #expect(error?.code == .internal)
        // Of our own clients none has gone beyond it.
        #expect(error?.limit == nil)
        let lines = Self.lines(of: log)
        #expect(lines.count == 1 && lines.first?.level == .info)
        #expect(lines.first?.metadata["peer"] == "node-7")
        #expect(lines.first?.metadata["method"] == "framemesh.v1.Node/Describe")
        #expect(lines.first?.metadata["detail"]?.contains("is malformed") == true)
    }

    /// A channel asks its nodes by itself, and nobody else hears what they answer.
    @Test(.timeLimit(.minutes(2))) func aReportThatCannotBeReadIsInTheLogOfItsChannel() async throws {
        struct Confused: RPCService {
            let serviceName = ServiceName.node
            var methods: [String: RPCHandler] {
                ["Describe": .unary { _, _ in UnaryResponse(UnreadableMessageTests.garbage) }]
            }
        }
        let health = HealthService()
        health.set(.serving)
        var limits = ServerConfiguration.cluster
        limits.drainTimeout = .zero
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, configuration: limits, services: [Confused(), health], group: TestMesh.group,
            logger: TestMesh.logger)
        let log = LogRecorder()
        var configuration = ChannelConfiguration()
        configuration.probe = .node
        configuration.client.connectTimeout = .seconds(30)
        let name = server.address.endpointName
        let channel = BalancedChannel(
            target: try Target(parsing: "static:///\(name)"), healthService: "", configuration: configuration,
            group: TestMesh.group, logger: log.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            tasks.addTask { await channel.run() }
            while Self.lines(of: log).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
        let line = Self.lines(of: log).first
        #expect(line?.metadata["peer"] == name)
        #expect(line?.metadata["method"] == "framemesh.v1.Node/Describe")
    }
}
