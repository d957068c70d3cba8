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
    let version: String

    /// - Parameter version: of the program, for those who ask (`Introduction`).
    public init(_ handler: any VisionHandler, version: String = "") {
        self.handler = handler
        self.version = version
    }

    public var serviceName: String { ServiceName.vision }
    public var methods: [String: RPCHandler] {
        [
            "Analyze": .unary { [handler] context, payload in
                let request = try AnalyzeRequest.decode(payload)
                return try await request.frame.named {
                    UnaryResponse(try await handler.analyze(request, context: context))
                }
            },
            "AnalyzeStream": .stream { [handler] context, requests, responses in
                try await handler.analyzeStream(requests, context: context) { try await responses.write(Payload($0)) }
            },
            "ListPipelines": .immediate { [handler, version] context, _ in
                UnaryResponse(ListPipelinesResponse(pipelines: handler.pipelines())).introducing(version, to: context)
            },
            "ListNodes": .unary { [handler] _, _ in UnaryResponse(ListNodesResponse(nodes: await handler.nodes())) },
        ]
    }
}
