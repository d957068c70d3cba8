public import Messages
public import RPC

/// Calls a coordinator.
public struct VisionClient: Sendable {
    public let caller: any Caller
    public init(_ caller: any Caller) { self.caller = caller }

    public func analyze(_ request: AnalyzeRequest, deadline: Deadline?) async throws -> AnalyzeResponse {
        try await caller.call(MethodPath.analyze, request, options: .init(deadline: deadline))
    }

    public func pipelines(deadline: Deadline?) async throws -> [PipelineDescription] {
        try await caller.call(
            MethodPath.listPipelines, EmptyRequest(), options: .init(deadline: deadline),
            returning: ListPipelinesResponse.self
        ).pipelines
    }

    public func nodes(deadline: Deadline?) async throws -> [NodeState] {
        try await caller.call(
            MethodPath.listNodes, EmptyRequest(), options: .init(deadline: deadline), returning: ListNodesResponse.self
        ).nodes
    }
}

/// One `AnalyzeStream` call: frames go in, answers come out in order. Whoever reads them says in the log, or to the
/// user, why they end.
public struct AnalyzeStreamClient: Sendable {
    private let call: ClientCall

    public init(_ call: ClientCall) { self.call = call }

    /// Suspends while the coordinator holds us back.
    public func send(_ request: AnalyzeRequest) async throws { try await call.send(Payload(request)) }
    public func finishSending() { call.finishSending() }
    public func cancel() { call.cancel() }

    public var answers: some AsyncSequence<AnalyzeResponse, any Error> & Sendable {
        call.responses.map {
            try AnalyzeResponse.decode(answer: $0, to: MethodPath.analyzeStream, of: "a coordinator", nil)
        }
    }
}
