import NIOCore
import Testing

@testable import RPC

private enum StoreError: Error, RPCErrorConvertible {
    case missing(String)
    case broken(any Error)
    case fine

    var rpcError: RPCError {
        switch self {
        case .missing(let name): RPCError(.notFound, "model '\(name)' is not there", metadata: ["x-model": name])
        case .broken(let cause): RPCError(.internal, "the store is broken", cause: cause)
        case .fine: RPCError(.ok, "")
        }
    }
}

private struct Secret: Error, CustomStringConvertible { var description: String { "password is 1234" } }

@Suite struct HandlerErrorTests {
    @Test func anErrorThatNamesItsStatusKeepsItAndIsItsOwnCause() {
        let error = RPCError(handler: StoreError.missing("yolo"))
        #expect(error.code == .notFound)
        #expect(error.message == "model 'yolo' is not there")
        #expect(error.metadata["x-model"] == "yolo")
        #expect(error.cause is StoreError)
    }

    @Test func aCauseThatItNamesIsKept() {
        let error = RPCError(handler: StoreError.broken(Secret()))
        #expect(error.code == .internal)
        #expect(error.cause is Secret)
    }

    @Test func anyOtherErrorIsUnknownAndSaysNothingToThePeer() {
        let error = RPCError(handler: Secret())
        #expect(error.code == .unknown)
        #expect(error.message == "the handler failed")
        #expect(error.cause is Secret)
    }

    @Test func cancellationIsCancelled() {
        #expect(RPCError(handler: CancellationError()).code == .cancelled)
    }

    @Test func okIsNoErrorSoItIsOurFault() {
        #expect(RPCError(handler: StoreError.fine).code == .internal)
        #expect(RPCError(handler: RPCError(.ok, "")).code == .internal)
    }

    @Test func anErrorOfACallOfOursIsACodeAndACause() {
        var inner = RPCError(
            .unavailable, "connection to 10.0.0.7:8501 was reset", metadata: ["grpc-retry-pushback-ms": "5"],
            limit: .messageBytes)
        inner.isWithheld = true
        let error = RPCError(handler: inner)
        #expect(error.code == .unavailable)
        #expect(error.message == "something that this call needs has failed")
        #expect(error.metadata.isEmpty)
        #expect(error.limit == nil)
        #expect((error.cause as? RPCError)?.message == inner.message)
    }

    @Test func aPathOrAnAddressOfThisProcessIsNotForThePeer() throws {
        let mistakes: [() throws -> Void] = [
            { _ = try TokenFile("/no/such/token") },
            { try ClientTLS(trust: .authorities(.file("/no/such/ca.crt"))).check() },
            { _ = try ServerAddress(parsing: "10.0.0.7") },
            { _ = try AccessRules(contentsOf: "/no/such/rules") },
        ]
        for mistake in mistakes {
            let error = #expect(throws: RPCError.self) { try mistake() }
            #expect(try RPCError(handler: #require(error)).message == "something that this call needs has failed")
        }
    }

    @Test func whatAClientInterceptorSaysIsNotForThePeer() async throws {
        struct Tokens: ClientInterceptor {
            func prepare(_ call: inout OutgoingCall) async throws {
                throw RPCError(.unauthenticated, "no token in /run/secrets")
            }
        }
        var configuration = RPCChannelConfiguration()
        configuration.interceptors = [Tokens()]
        let channel = try RPCChannel(
            to: "127.0.0.1:1", configuration: configuration, group: Loopback.group, logger: Loopback.logger)
        defer { channel.close() }
        let error = await failure { _ = try await channel.unary("/a/b", Payload("x")) }
        #expect(error?.message == "no token in /run/secrets")
        #expect(try RPCError(handler: #require(error)).message == "something that this call needs has failed")
    }

    /// Whatever the next hop says, and however the call to it fails.
    @Test func nothingOfTheNextHopReachesThePeer() async throws {
        let limited: RPCHandler = .unary { _, _ in
            throw RPCError(.notFound, "secret", metadata: ["x-secret": "1"], limit: .healthWatches)
        }
        var small = ClientConfiguration.patient
        small.maxMessageBytes = 10
        try await Loopback.with(
            [
                "Fail": limited, "Large": .unary { _, _ in UnaryResponse(Payload("more than ten bytes")) },
            ], client: small
        ) { back in
            let front: [String: RPCHandler] = [
                "Fail": .unary { _, request in try await back.connection.unary(back.path("Fail"), request) },
                "Large": .unary { _, request in try await back.connection.unary(back.path("Large"), request) },
                "Stream": .stream { _, _, _ in
                    let call = try await back.connection.open(back.path("Fail"))
                    try await call.send(Payload("a"))
                    call.finishSending()
                    for try await _ in call.responses {}
                },
                "Lost": .unary { _, _ in
                    _ = try await RPCConnection.connect(
                        to: ServerAddress(parsing: "127.0.0.1:1"), configuration: .patient, group: Loopback.group,
                        logger: Loopback.logger)
                    throw RPCError(.ok, "")
                },
            ]
            try await Loopback.with(front) { loopback in
                for (name, code) in [
                    ("Fail", StatusCode.notFound), ("Large", .resourceExhausted), ("Stream", .notFound),
                    ("Lost", .unavailable),
                ] {
                    let error = await failure { _ = try await loopback.unary(name) }
                    #expect(error?.code == code)
                    #expect(error?.message == "something that this call needs has failed")
                    #expect(error?.metadata.isEmpty == true)
                }
            }
        }
    }

    @Test func nothingOfAnUntypedErrorReachesThePeer() async throws {
        try await Loopback.with([
            "Unary": .unary { _, _ in throw Secret() },
            "Now": .immediate { _, _ in throw Secret() },
            "Stream": .stream { _, _, _ in throw Secret() },
        ]) { loopback in
            for name in ["Unary", "Now", "Stream"] {
                let error = await failure { _ = try await loopback.unary(name) }
                #expect(error?.code == .unknown)
                #expect(error?.message == "the handler failed")
                #expect(error?.metadata.isEmpty == true)
            }
        }
    }
}
