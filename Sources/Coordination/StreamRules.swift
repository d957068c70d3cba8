import Messages
import RPC

/// What the first frame of a stream fixed for all of them.
struct StreamRules: Sendable {
    var pipeline: Pipeline
    var policy: StreamPolicy
    var frameDeadline: Duration
    var minConfidence: Float
    var topK: Int
    /// How often the sender had to begin the stream again. The tracker begins anew with each.
    var epoch: UInt32

    /// - Throws: INVALID_ARGUMENT for an unknown pipeline, too many classes, or the policy `deadline` without a deadline.
    init(_ first: AnalyzeRequest, configuration: CoordinatorConfiguration) throws(RPCError) {
        pipeline = try configuration.pipeline(of: first)
        policy = first.policy
        minConfidence = first.minConfidence
        topK = first.topK
        epoch = first.epoch
        if policy == .deadline, first.frameDeadline == 0 {
            throw RPCError(.invalidArgument, "the policy deadline needs frame_deadline_ms above 0")
        }
        frameDeadline = configuration.deadline(of: first)
    }

    /// Why this frame can't be taken, if it can't.
    func objection(to request: AnalyzeRequest) -> RPCError? {
        guard request.pipeline.isEmpty || request.pipeline == pipeline.name else {
            return RPCError(
                .invalidArgument,
                "frame \(request.frame.sequence) asks for the pipeline '\(request.pipeline)' in a stream of "
                    + "'\(pipeline.name)'")
        }
        return nil
    }

    func apply(to request: inout AnalyzeRequest) {
        request.policy = policy
        request.minConfidence = minConfidence
        request.topK = topK
    }
}

extension CoordinatorConfiguration {
    /// Longest deadline that a client may ask for.
    static let maxFrameDeadline: Duration = .seconds(600)

    /// What a request, or the first one of a stream, asks for.
    /// - Throws: INVALID_ARGUMENT for an unknown pipeline, or for more classes than an answer has.
    func pipeline(of request: AnalyzeRequest) throws(RPCError) -> Pipeline {
        let found = try pipeline(named: request.pipeline)
        guard let count = found.classify?.input.count else { return found }
        let most = Classification.maxPerAnswer / count
        guard request.topK <= most else {
            throw RPCError(
                .invalidArgument,
                "top_k \(request.topK) is above \(most): an answer has at most \(Classification.maxPerAnswer) classes, "
                    + "and the pipeline '\(found.name)' classifies "
                    + (count == 1 ? "one picture" : "up to \(count) boxes"))
        }
        return found
    }

    private func pipeline(named name: String) throws(RPCError) -> Pipeline {
        guard let found = pipelines.first(where: { $0.name == name }) else {
            let known = pipelines.map(\.name).joined(separator: ", ")
            throw RPCError(.invalidArgument, "unknown pipeline '\(name.prefix(64))'; known are \(known)")
        }
        return found
    }

    func deadline(of request: AnalyzeRequest) -> Duration {
        request.frameDeadline == 0
            ? frameDeadline : min(.milliseconds(Int64(request.frameDeadline)), Self.maxFrameDeadline)
    }
}
