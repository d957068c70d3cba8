import NIOCore
import RPC

/// `grpc.testing.TestService` as gRPC's `doc/interop-test-descriptions.md` wants it of a server.
struct TestService: RPCService {
    static let name = "grpc.testing.TestService"
    static let echoInitial = "x-grpc-test-echo-initial"
    static let echoTrailing = "x-grpc-test-echo-trailing-bin"
    /// Of one answer: what a client asks for is memory of ours.
    static let maxResponseBytes = 64 << 20
    /// Of HalfDuplexCall, which answers when all requests are there.
    static let maxHeldRequests = 1024

    var serviceName: String { Self.name }

    var descriptors: DescriptorSet? { .interop }

    /// UnimplementedCall is missing, as it must be.
    var methods: [String: RPCHandler] {
        [
            "EmptyCall": .immediate { context, _ in
                var response = UnaryResponse(Payload(ByteBuffer()))
                (response.metadata, response.trailers) = Self.echo(of: context)
                return response
            },
            "UnaryCall": .unary { context, request in try Self.answer(context, request) },
            "CacheableUnaryCall": .unary { context, request in
                var response = try Self.answer(context, request)
                let now = NIODeadline.now().uptimeNanoseconds
                response.payload = Payload(SimpleResponse(body: ByteBuffer(string: "\(now)")).encode())
                response.metadata.add("cache-control", "max-age=60, public")
                return response
            },
            "StreamingInputCall": .stream { context, requests, responses in
                Self.echo(of: context, on: responses)
                var response = StreamingInputCallResponse()
                for try await message in requests {
                    let request = try StreamingInputCallRequest.decode(message.message)
                    try Self.check(message, expectCompressed: request.expectCompressed)
                    response.aggregatedPayloadSize += request.body?.readableBytes ?? 0
                }
                try await responses.write(Payload(response.encode()))
            },
            "StreamingOutputCall": .stream { context, requests, responses in
                try await Self.answerEach(context, requests, responses)
            },
            "FullDuplexCall": .stream { context, requests, responses in
                try await Self.answerEach(context, requests, responses)
            },
            "HalfDuplexCall": .stream { context, requests, responses in
                Self.echo(of: context, on: responses)
                var held: [StreamingOutputCallRequest] = []
                for try await message in requests {
                    guard held.count < Self.maxHeldRequests else {
                        throw RPCError(.resourceExhausted, "more than \(Self.maxHeldRequests) requests")
                    }
                    var request = try StreamingOutputCallRequest.decode(message.message)
                    request.body = nil
                    held.append(request)
                }
                for request in held { try await Self.answer(context, request, responses) }
            },
        ]
    }

    // ---- unary ----

    private static func answer(_ context: CallContext, _ message: Payload) throws -> UnaryResponse {
        let request = try SimpleRequest.decode(message.message)
        try check(message, expectCompressed: request.expectCompressed)
        try fail(as: request.responseStatus, trailers: echo(of: context).trailing)
        var response = UnaryResponse(Payload(SimpleResponse(body: try body(request.responseSize)).encode()))
        (response.metadata, response.trailers) = echo(of: context)
        if let wanted = request.responseCompressed {
            response.compression = wanted ? compression(for: context) : .identity
        }
        return response
    }

    // ---- streams ----

    private static func answerEach(
        _ context: CallContext, _ requests: MessageStream, _ responses: ResponseWriter
    ) async throws {
        echo(of: context, on: responses)
        for try await message in requests {
            try await answer(context, try .decode(message.message), responses)
        }
    }

    private static func answer(
        _ context: CallContext, _ request: StreamingOutputCallRequest, _ responses: ResponseWriter
    ) async throws {
        try fail(as: request.responseStatus)
        // Of the call; the first message fixes it.
        if request.parameters.contains(where: { $0.compressed == true }) {
            responses.setCompression(compression(for: context))
        }
        for parameters in request.parameters {
            if parameters.interval > .zero { try await Task.sleep(for: parameters.interval) }
            var response = Payload(StreamingOutputCallResponse(body: try body(parameters.size)).encode())
            response.compresses = parameters.compressed == true
            try await responses.write(response)
        }
    }

    // ---- what the requests ask for ----

    private static func compression(for context: CallContext) -> Compression {
        [.gzip, .deflate].first { context.accepts($0) } ?? .identity
    }

    private static func check(_ message: Payload, expectCompressed: Bool?) throws(RPCError) {
        guard let expectCompressed, expectCompressed != message.wasCompressed else { return }
        throw RPCError(
            .invalidArgument,
            "request was expected \(expectCompressed ? "compressed" : "uncompressed"), but is not")
    }

    private static func fail(as status: EchoStatus?, trailers: Metadata = [:]) throws(RPCError) {
        guard let status, status.code != 0 else { return }
        throw RPCError(StatusCode(rawValue: status.code), status.message, metadata: trailers)
    }

    private static func body(_ size: Int) throws(RPCError) -> ByteBuffer {
        guard (0...maxResponseBytes).contains(size) else {
            throw RPCError(.invalidArgument, "response size \(size) is not within 0 and \(maxResponseBytes)")
        }
        return ByteBuffer(repeating: 0, count: size)
    }

    private static func echo(of context: CallContext) -> (initial: Metadata, trailing: Metadata) {
        var (initial, trailing) = (Metadata(), Metadata())
        for (key, value) in context.metadata {
            switch (key, value) {
            case (echoInitial, .ascii(let text)): initial.add(key, text)
            case (echoTrailing, .binary(let bytes)): trailing.add(key, bytes: bytes)
            default: break
            }
        }
        return (initial, trailing)
    }

    private static func echo(of context: CallContext, on responses: ResponseWriter) {
        let (initial, trailing) = echo(of: context)
        responses.setInitialMetadata(initial)
        responses.setTrailers(trailing)
    }
}
