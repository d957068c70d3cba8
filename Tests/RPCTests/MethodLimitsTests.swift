import NIOCore
import NIOPosix
import Testing

@testable import RPC

/// A method may take less than its server does.
@Suite(.timeLimit(.minutes(5))) struct MethodLimitsTests {
    /// `Place` tells whether its handler runs on an event loop.
    private struct Limited: RPCService {
        var maxRequestBytes: Int?
        var serviceName: String { "test.Service" }
        var methods: [String: RPCHandler] {
            [
                "Place": .immediate { _, request in
                    let place = MultiThreadedEventLoopGroup.currentEventLoop == nil ? "pool" : "loop"
                    return UnaryResponse(Payload("\(place) \(request.message.readableBytes)"))
                }
            ]
        }
        func limits(of method: String) -> MethodLimits { MethodLimits(maxRequestBytes: maxRequestBytes) }
    }

    @Test(arguments: [
        ("/grpc.health.v1.Health/Check", 1025), ("/grpc.health.v1.Health/Watch", 1025),
        ("/grpc.health.v1.Health/List", 1025),
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 4097),
    ])
    func theOpenServicesRefuseByThePrefixAlone(_ path: String, _ length: Int) async throws {
        let health = HealthService()
        let services = try [health] + Reflection.services(describing: [health])
        try await Loopback.serving([:], services: services) { server in
            // No byte of the message comes, and no end.
            let call = try await RawLink.open(server.address, path, body: MessageReaderTests.prefix(length))
            let answer = try await call.answer.get()
            #expect(answer["grpc-status"] == "8")
            #expect(answer["grpc-message"]?.contains("exceeds limit \(length - 1)") == true)
        }
    }

    @Test(arguments: [
        "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ])
    func theirLimitIsSet(_ path: String) async throws {
        let health = HealthService(maxRequestBytes: 20)
        let services = try [health] + Reflection.services(describing: [health], maxRequestBytes: 20)
        try await Loopback.serving([:], services: services) { server in
            let call = try await RawLink.open(server.address, path, body: MessageReaderTests.prefix(21))
            let answer = try await call.answer.get()
            #expect(answer["grpc-status"] == "8")
            #expect(answer["grpc-message"]?.contains("exceeds limit 20") == true)
        }
    }

    @Test func aCallWithinTheLimitIsAnswered() async throws {
        try await Loopback.with(services: [Limited(maxRequestBytes: 10)]) { loopback in
            try await loopback.expect("loop 10", from: "Place", "0123456789")
            let error = await failure { _ = try await loopback.unary("Place", "0123456789a") }
            #expect(error?.code == .resourceExhausted)
        }
    }

    @Test func anAttachmentHasTheSameLimit() async throws {
        try await Loopback.with(services: [Limited(maxRequestBytes: 10)], server: .attaching) { loopback in
            _ = try await loopback.unary("Place")
            let request = Payload(ByteBuffer(), attachment: ByteBuffer(repeating: 1, count: 11))
            let error = await failure {
                _ = try await loopback.connection.unary(loopback.path("Place"), request)
            }
            #expect(error?.code == .resourceExhausted)
        }
    }

    /// The loop has other calls to serve while a bomb goes off.
    @Test func onlyALittleIsInflatedOnTheLoop() async throws {
        let text = String(repeating: "x", count: 5000)
        let options = CallOptions(deadline: .after(.seconds(20)), compression: .gzip)
        for (limit, place) in [(Inflater.mostOnLoop, "loop"), (Inflater.mostOnLoop + 1, "pool"), (nil, "pool")] {
            try await Loopback.with(services: [Limited(maxRequestBytes: limit)]) { loopback in
                let answer = try await loopback.connection.unary(
                    loopback.path("Place"), Payload(text), options: options)
                #expect(answer.payload.text == "\(place) 5000")
            }
        }
    }

    // ---- answers ----

    @Test func aCallMayTakeLessOfItsAnswer() async throws {
        let text = String(repeating: "x", count: 5000)
        let methods: [String: RPCHandler] = [
            "Unary": .unary { _, request in
                UnaryResponse(Payload(text), compression: request.text.isEmpty ? .identity : .gzip)
            },
            "Stream": .stream { _, _, responses in try await responses.write(Payload(text)) },
        ]
        func asked(_ most: Int) -> CallOptions {
            var options = CallOptions(deadline: .after(.seconds(60)))
            options.maxResponseBytes = most
            return options
        }
        try await Loopback.with(methods) { loopback in
            let connection = loopback.connection
            let path = loopback.path("Unary")
            // Compressed it is far below the limit.
            for request in ["", "compressed"] {
                let answer = try await connection.unary(path, Payload(request), options: asked(5000))
                #expect(answer.payload.text == text)
                let error = await failure {
                    _ = try await connection.unary(path, Payload(request), options: asked(4999))
                }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.limit == .messageBytes)
            }
            let call = try await connection.open(loopback.path("Stream"), options: asked(4999))
            #expect(await failure { _ = try await collect(call.responses) }?.limit == .messageBytes)
        }
    }

    @Test func anAttachmentOfAnAnswerHasTheSameLimit() async throws {
        let answer = Payload(ByteBuffer(), attachment: ByteBuffer(repeating: 1, count: 11))
        try await Loopback.with(["Ask": .unary { _, _ in UnaryResponse(answer) }], server: .attaching) { loopback in
            // The first answer tells that there are attachments.
            _ = try await loopback.unary("Ask")
            var options = CallOptions(deadline: .after(.seconds(60)))
            options.maxResponseBytes = 10
            let error = await failure {
                _ = try await loopback.connection.unary(loopback.path("Ask"), Payload(""), options: options)
            }
            #expect(error?.limit == .attachmentBytes)
        }
    }
}
