import HTTP2
import NIOCore
import Testing

@testable import RPC

/// Metadata that is too large to be sent fails its call, at once; it leaves nobody waiting, and the connection goes on.
@Suite(.timeLimit(.minutes(5))) struct LargeHeadTests {
    private static let large = String(repeating: "v", count: 70_000)

    private static let methods: [String: RPCHandler] = [
        "Echo": .unary { _, request in UnaryResponse(request) },
        "Fail": .unary { _, _ in throw RPCError(.notFound, "no", metadata: ["x-large": large]) },
        "Head": .unary { _, request in
            var response = UnaryResponse(request)
            response.metadata.add("x-large", large)
            return response
        },
        "Trailers": .unary { _, request in
            var response = UnaryResponse(request)
            response.trailers.add("x-large", large)
            return response
        },
        "Stream": .stream { _, requests, responses in
            for try await request in requests { try await responses.write(request) }
            throw RPCError(.notFound, "no", metadata: ["x-large": large])
        },
    ]

    @Test(arguments: ["Fail", "Head", "Trailers"])
    func anAnswerThatCannotBeSentFailsItsCall(_ method: String) async throws {
        try await Loopback.with(Self.methods) { loopback in
            let error = await failure { _ = try await loopback.unary(method, deadline: .after(.seconds(30))) }
            #expect(error?.code == .internal)
            #expect(error?.message == "peer reset the stream: INTERNAL_ERROR")
            try await loopback.expect("still here", from: "Echo", "still here")
        }
    }

    @Test func trailersThatCannotBeSentEndAStream() async throws {
        try await Loopback.with(Self.methods) { loopback in
            let call = try await loopback.connection.open(
                loopback.path("Stream"), options: .init(deadline: .after(.seconds(30))))
            try await call.send(Payload("a"))
            call.finishSending()
            var seen: [String] = []
            let error = await failure { for try await answer in call.responses { seen.append(answer.text) } }
            #expect(seen == ["a"])
            #expect(error?.code == .internal)
            try await loopback.expect("still here", from: "Echo", "still here")
        }
    }

    @Test func aRequestThatCannotBeSentFailsAtItsCaller() async throws {
        try await Loopback.with(Self.methods) { loopback in
            let options = CallOptions(metadata: ["x-large": Self.large], deadline: .after(.seconds(30)))
            let error = await failure {
                _ = try await loopback.connection.unary(loopback.path("Echo"), Payload("x"), options: options)
            }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message == "metadata of 70039 bytes is more than can be sent")
            // Not that of an endpoint, which another one could be asked for.
            #expect(error?.wasRefused == false && error?.limit == .metadata)
            try await loopback.expect("still here", from: "Echo", "still here")
        }
    }

    /// The largest that is tried is sent, and what the server says of it is its own.
    @Test func whatCanBeSentIsSent() async throws {
        var server = ServerConfiguration()
        server.maxMetadataBytes = 1 << 20
        try await Loopback.with(Self.methods, server: server) { loopback in
            for bytes in [60_000, 64_000, 65_000, 66_000] {
                let metadata: Metadata = ["x-large": String(repeating: "~", count: bytes)]
                let options = CallOptions(metadata: metadata, deadline: .after(.seconds(30)))
                let error = await failure {
                    _ = try await loopback.connection.unary(loopback.path("Echo"), Payload("x"), options: options)
                }
                #expect(error?.code == (bytes <= 64_000 ? nil : .resourceExhausted), "\(bytes): \(error as Any)")
            }
            try await loopback.expect("still here", from: "Echo", "still here")
        }
    }
}
