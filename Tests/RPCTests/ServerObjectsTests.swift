import NIOCore
import Testing

@testable import HTTP2
@testable import RPC

/// Nothing is left of a server's calls and connections when they have ended, however they ended.
@Suite(.timeLimit(.minutes(5))) struct ServerObjectsTests {
    /// How a streaming call ends.
    enum Ending: String, CaseIterable {
        /// The handler returns, fails, or waits for what its client does.
        case returned, failed, cancelled, connectionLost
        /// The connection is lost while the answer waits for the client's window.
        case unread
    }

    private static func handler(_ remains: Remains) -> RPCHandler {
        .stream { context, requests, responses in
            remains.watch(responses.call, "call")
            remains.watch(responses.gate, "gate")
            remains.watch(responses.inbox, "inbox")
            remains.watch(responses.call.inbound, "queue")
            responses.inbox.submit { connection in
                remains.watch(connection, "connection")
                remains.watch(connection.session, "session")
            }
            try await responses.write(Payload("begun"))
            for try await request in requests {
                if request.text == "fail" { throw RPCError(.aborted, "as asked") }
                while request.text == "flood" {
                    try await responses.write(Payload(ByteBuffer(repeating: 1, count: 10_000)))
                }
            }
        }
    }

    private func live(_ ending: Ending, _ server: RPCServer) async throws {
        let connection = try await RPCConnection.connect(
            to: server.address, configuration: .patient, group: Loopback.group, logger: Loopback.logger)
        defer { connection.close() }
        let call = try await connection.open("/test.Service/Stream")
        var responses = call.responses.makeAsyncIterator()
        _ = try await responses.next()
        switch ending {
        case .returned:
            call.finishSending()
            #expect(try await responses.next() == nil)
        case .failed:
            let error = await failure {
                try await call.send(Payload("fail"))
                _ = try await responses.next()
            }
            #expect(error?.code == .aborted)
        case .cancelled: call.cancel()
        case .connectionLost: try await call.send(Payload("on"))
        case .unread:
            try await call.send(Payload("flood"))
            _ = try await responses.next()
        }
    }

    @Test(arguments: Ending.allCases)
    func nothingIsLeftOfCallsThatEnd(_ ending: Ending) async throws {
        let remains = Remains()
        try await Loopback.serving(["Stream": Self.handler(remains)]) { server in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 { tasks.addTask { for _ in 0..<10 { try await live(ending, server) } } }
                try await tasks.waitForAll()
            }
            #expect(remains.count >= 200)
            let areGone = try await remains.areGone()
            #expect(areGone, "\(remains.left)")
        }
    }

    /// Calls that have ended do not wait for the end of their connection.
    @Test func nothingIsLeftOfCallsOnAConnectionThatGoesOn() async throws {
        let remains = Remains()
        let handler = RPCHandler.stream { _, requests, responses in
            remains.watch(responses.call, "call")
            remains.watch(responses.call.inbound, "queue")
            for try await request in requests { try await responses.write(request) }
        }
        try await Loopback.with(["Stream": handler]) { loopback in
            for _ in 0..<100 {
                let call = try await loopback.connection.open(loopback.path("Stream"))
                try await call.send(Payload("x"))
                call.finishSending()
                #expect(try await collect(call.responses) == ["x"])
            }
            #expect(remains.count == 200)
            let areGone = try await remains.areGone()
            #expect(areGone, "\(remains.left)")
        }
    }
}
