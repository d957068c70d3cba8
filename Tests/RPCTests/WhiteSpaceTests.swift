import HTTP2
import NIOCore
import Synchronization
import Testing

@testable import RPC

/// RFC 9113 forbids white space around the value of a field, and stock gRPC peers send it: gRPC lets it be stripped.
@Suite(.timeLimit(.minutes(5))) struct WhiteSpaceTests {
    @Test func whatAClientSendsIsStripped() async throws {
        let seen = Mutex<[String]>([])
        let handler = RPCHandler.immediate { context, request in
            seen.withLock { $0 = ["x-a", "x-b", "x-c", "x-d"].map { context.metadata[$0] ?? "nothing" } }
            return UnaryResponse(request)
        }
        try await Loopback.serving(["Echo": handler]) { server in
            let extra = ["x-a": " v", "x-b": "v w ", "x-c": " \t v\t", "x-d": "  "]
            let answer = try await RawClient.request(
                to: server.address,
                RawClient.head("/test.Service/Echo") + extra.map { HeaderField($0.key, $0.value) },
                body: ByteBuffer(bytes: [0, 0, 0, 0, 0]))
            #expect(answer["grpc-status"] == "0")
        }
        #expect(seen.withLock { $0 } == ["v", "v w", "v", ""])
    }

    @Test func whatAServerSendsIsStripped() async throws {
        let outcome = try await FrameServer.outcome { session, stream in
            let status = [
                HeaderField("grpc-status", "5"), HeaderField("grpc-message", " gone "), HeaderField("x-a", " v "),
            ]
            session.respond(stream: stream, fields: FrameServer.head + status, endStream: true)
        }
        #expect(outcome?.code == .notFound)
        #expect(outcome?.metadata["x-a"] == "v")
    }

    /// It is escaped, so that no proxy between them minds it.
    @Test func aMessageKeepsIt() async throws {
        let handler = RPCHandler.unary { _, _ in throw RPCError(.notFound, "  there is no model 'a ' ") }
        try await Loopback.with(["Fail": handler]) { loopback in
            let error = await failure { _ = try await loopback.unary("Fail") }
            #expect(error?.code == .notFound)
            #expect(error?.message == "  there is no model 'a ' ")
        }
        #expect(StatusMessage.encode("  a b ") == "%20 a b%20")
        #expect(StatusMessage.encode(" ") == "%20")
    }

    @Test func metadataIsAddedWithoutIt() async throws {
        let handler = RPCHandler.unary { context, request in
            var response = UnaryResponse(request)
            response.metadata.add("x-got", context.metadata["x-mine"] ?? "nothing")
            response.trailers.add("x-last", "v ")
            return response
        }
        try await Loopback.with(["Echo": handler]) { loopback in
            var options = CallOptions(deadline: .after(.seconds(60)))
            options.metadata.add("x-mine", " a b\t")
            #expect(options.metadata["x-mine"] == "a b")
            let answer = try await loopback.connection.unary(loopback.path("Echo"), Payload("x"), options: options)
            #expect(answer.metadata["x-got"] == "a b")
            #expect(answer.trailers["x-last"] == "v")
        }
    }
}
