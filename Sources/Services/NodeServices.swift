public import Messages
public import RPC

/// What a detection node does. Errors are `RPCError`.
public protocol DetectorHandler: Sendable {
    func detect(_ request: DetectRequest, context: CallContext) async throws -> DetectResponse
}

/// What a classification node does.
public protocol ClassifierHandler: Sendable {
    func classify(_ request: ClassifyRequest, context: CallContext) async throws -> ClassifyResponse
}

/// What a node does that has models for both stages.
public protocol FusedHandler: Sendable {
    func run(_ request: FusedRequest, context: CallContext) async throws -> FusedResponse
}

/// What every node says of itself. Answers at once, on the event loop.
public protocol NodeHandler: Sendable {
    func describe() -> NodeDescription
}

public struct DetectorService: RPCService {
    let handler: any DetectorHandler
    public init(_ handler: any DetectorHandler) { self.handler = handler }

    public var serviceName: String { ServiceName.detector }
    public var methods: [String: RPCHandler] {
        [
            "Detect": .unary { [handler] context, payload in
                let request = try DetectRequest.decode(payload)
                return try await request.frame.named {
                    UnaryResponse(try await handler.detect(request, context: context))
                }
            },
            "DetectStream": .stream { [handler] context, requests, responses in
                try await answerInOrder(requests, responses) { payload in
                    Payload(try await handler.detect(try DetectRequest.decode(payload), context: context))
                }
            },
        ]
    }
}

public struct ClassifierService: RPCService {
    let handler: any ClassifierHandler
    public init(_ handler: any ClassifierHandler) { self.handler = handler }

    public var serviceName: String { ServiceName.classifier }
    public var methods: [String: RPCHandler] {
        [
            "Classify": .unary { [handler] context, payload in
                let request = try ClassifyRequest.decode(payload)
                return try await request.frame.named {
                    UnaryResponse(try await handler.classify(request, context: context))
                }
            },
            "ClassifyStream": .stream { [handler] context, requests, responses in
                try await answerInOrder(requests, responses) { payload in
                    Payload(try await handler.classify(try ClassifyRequest.decode(payload), context: context))
                }
            },
        ]
    }
}

public struct FusedService: RPCService {
    let handler: any FusedHandler
    public init(_ handler: any FusedHandler) { self.handler = handler }

    public var serviceName: String { ServiceName.fused }
    public var methods: [String: RPCHandler] {
        [
            "Run": .unary { [handler] context, payload in
                let request = try FusedRequest.decode(payload)
                return try await request.frame.named {
                    UnaryResponse(try await handler.run(request, context: context))
                }
            },
            "RunStream": .stream { [handler] context, requests, responses in
                try await answerInOrder(requests, responses) { payload in
                    Payload(try await handler.run(try FusedRequest.decode(payload), context: context))
                }
            },
        ]
    }
}

public struct NodeService: RPCService {
    let handler: any NodeHandler
    public init(_ handler: any NodeHandler) { self.handler = handler }

    public var serviceName: String { ServiceName.node }
    public var methods: [String: RPCHandler] {
        [
            "Describe": .immediate { [handler] context, _ in
                let description = handler.describe()
                return UnaryResponse(description).introducing(description.build, to: context)
            }
        ]
    }
}
