import NIOCore
import RPC
import Testing

@testable import Mesh

/// Whose memory answers take.
@Suite struct ChannelMemoryTests {
    private func fill(_ bytes: Int) -> Payload { Payload(ByteBuffer(integer: bytes)) }

    /// As a coordinator does it: a server that holds its requests until a node has answered.
    private struct Front: RPCService {
        let channel: BalancedChannel
        let request: Payload
        var serviceName: String { "test.Front" }
        var methods: [String: RPCHandler] {
            [
                "Ask": .unary { context, held in
                    let answer = try await channel.call(
                        "/test.Node/Fill", request, options: .init(deadline: context.deadline))
                    return withExtendedLifetime(held) {
                        UnaryResponse(
                            Payload(ByteBuffer(integer: answer.response.payload.message.readableBytes)))
                    }
                }
            ]
        }
    }

    @Test func answersDoNotWaitForTheMemoryOfRequests() async throws {
        // Room for one request, and for no answer beside it.
        let budget = MemoryBudget(limit: 60_000)
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start()
            try await BalancedChannel.with([node]) { channel async throws in
                let server = try await RPCServer.bind(
                    host: "127.0.0.1", port: 0, services: [Front(channel: channel, request: fill(50_000))],
                    budget: budget, group: TestNode.group, logger: TestNode.logger)
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await server.run() }
                    try await ask(server, times: 8)
                    tasks.cancelAll()
                }
            }
        }
        #expect(budget.used == 0)
    }

    private func ask(_ server: RPCServer, times: Int) async throws {
        var patient = ClientConfiguration()
        patient.connectTimeout = .seconds(30)
        let connection = try await RPCConnection.connect(
            to: server.address, configuration: patient, group: TestNode.group, logger: TestNode.logger)
        defer { connection.close() }
        try await withThrowingTaskGroup(of: Int?.self) { tasks in
            for _ in 0..<times {
                tasks.addTask {
                    let request = Payload(ByteBuffer(repeating: 0, count: 50_000))
                    let answer = try await connection.unary(
                        "/test.Front/Ask", request, options: .init(deadline: .after(.seconds(60))))
                    return answer.payload.message.getInteger(at: 0, as: Int.self)
                }
            }
            for try await bytes in tasks { #expect(bytes == 50_000) }
        }
    }

    @Test func aChannelHasMemoryOfItsOwn() async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start()
            try await BalancedChannel.with([node]) { channel async throws in
                #expect(channel.budget !== MemoryBudget.shared)
                let response = try await channel.call("/test.Node/Fill", fill(50_000))
                #expect(channel.budget.used == 50_000)
                withExtendedLifetime(response) {}
            }
        }
    }
}
