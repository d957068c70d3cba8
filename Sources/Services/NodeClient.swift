public import Messages
public import RPC

/// Calls nodes, whichever models they have.
public struct NodeClient: Sendable {
    public let caller: any Caller
    public init(_ caller: any Caller) { self.caller = caller }

    public func detect(_ request: DetectRequest, deadline: Deadline?) async throws -> DetectResponse {
        try await caller.call(MethodPath.detect, request, options: .init(deadline: deadline))
    }

    public func classify(_ request: ClassifyRequest, deadline: Deadline?) async throws -> ClassifyResponse {
        try await caller.call(MethodPath.classify, request, options: .init(deadline: deadline))
    }

    public func fused(_ request: FusedRequest, deadline: Deadline?) async throws -> FusedResponse {
        try await caller.call(MethodPath.fused, request, options: .init(deadline: deadline))
    }

    /// - Parameter maxBytes: of the answer; nil: as of others.
    public func describe(deadline: Deadline?, maxBytes: Int? = nil) async throws -> NodeDescription {
        var options = CallOptions(deadline: deadline)
        options.maxResponseBytes = maxBytes
        return try await caller.call(MethodPath.describe, EmptyRequest(), options: options)
    }
}
