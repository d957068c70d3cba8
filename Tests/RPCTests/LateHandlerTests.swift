import Foundation
import NIOCore
import Testing

@testable import RPC

/// Handlers that wait for a thread of Swift's pool until nobody wants them any more.
@Suite(.timeLimit(.minutes(5))) struct LateHandlerTests {
    /// It holds its thread, as a handler does that computes; waiting that gives the thread back would leave the pool free.
    private static func block(_ milliseconds: Int) { Thread.sleep(forTimeInterval: Double(milliseconds) / 1000) }

    /// Nothing of the pool runs meanwhile.
    private static func blockPool() -> [Task<Void, Never>] {
        (0..<2 * ProcessInfo.processInfo.activeProcessorCount).map { _ in Task.detached { block(1500) } }
    }

    @Test(arguments: ["Unary", "Stream"])
    func aHandlerWhoseCallIsOverDoesNotBegin(_ method: String) async throws {
        let begun = Counter()
        let methods: [String: RPCHandler] = [
            "Unary": .unary { _, request in
                begun.add()
                return UnaryResponse(request)
            },
            "Stream": .stream { _, _, _ in begun.add() },
            "Now": .unary { _, request in UnaryResponse(request) },
        ]
        var server = ServerConfiguration()
        server.startsHandlersOnLoop = false
        try await Loopback.with(methods, server: server) { loopback in
            #expect(try await loopback.unary("Now", "warm") == "warm")
            let blockers = Self.blockPool()
            let pending = try loopback.connection.begin(
                loopback.path(method), Payload("x"), options: .init(deadline: .after(.milliseconds(200))), due: nil)
            // This thread is one of the pool, too.
            Self.block(1000)
            guard case .ended(.failure(let error)) = await pending.next() else {
                return #expect(Bool(false), "the call went well")
            }
            #expect(error.code == .deadlineExceeded)
            for blocker in blockers { await blocker.value }
            // Its task comes before that of this one.
            #expect(try await loopback.unary("Now", "after") == "after")
        }
        // The server has ended, and with it every handler.
        #expect(begun.value == 0)
    }
}
