public import Messages
public import RPC

/// What a coordinator does.
public protocol VisionHandler: Sendable {
    func analyze(_ request: AnalyzeRequest, context: CallContext) async throws -> AnalyzeResponse
    /// Answers each frame of `requests` exactly once, in order, through `answer`.
    func analyzeStream(
        _ requests: MessageStream, context: CallContext,
        answer: @Sendable @escaping (AnalyzeResponse) async throws -> Void
    ) async throws
    func pipelines() -> [PipelineDescription]
    func nodes() async -> [NodeState]
}

public struct VisionService: RPCService {
    let handler: any VisionHandler
    public init(_ handler: any VisionHandler) { self.handler = handler }

    public var serviceName: String { ServiceName.vision }
    public var methods: [String: RPCHandler] {
        [
            "Analyze": .unary { [handler] context, payload in
                UnaryResponse(try await handler.analyze(try AnalyzeRequest.decode(payload), context: context))
            },
            "AnalyzeStream": .stream { [handler] context, requests, responses in
                try await handler.analyzeStream(requests, context: context) { try await responses.write(Payload($0)) }
            },
            "ListPipelines": .immediate { [handler] _, _ in
                UnaryResponse(ListPipelinesResponse(pipelines: handler.pipelines()))
            },
            "ListNodes": .unary { [handler] _, _ in UnaryResponse(ListNodesResponse(nodes: await handler.nodes())) },
        ]
    }
}
