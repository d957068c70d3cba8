import Bench
import Messages
import RPC

/// Who is asked for what is in frames, one call a frame.
protocol FrameTarget: Sendable {
    /// Makes room for so many callers; each has a connection of its own.
    /// - Throws: what keeps it from answering.
    func prepare(callers: Int) async throws

    /// One frame. The latency is for the caller to fill in.
    /// - Throws: what ends the run; a frame that failed is an outcome.
    func ask(_ frame: Frame, caller: Int) async throws -> FrameOutcome

    func close() async
}

extension FrameTarget {
    /// Said behind why a caller has no connection, where so many others have one.
    static func note(onConnected callers: Int) -> String {
        callers == 0
            ? ""
            : "; \(callers) of the callers are connected, and it may take no more of one address "
                + "(its max-connections-per-address)"
    }

    /// Said before anything is measured, where nothing would be answered.
    /// - Parameters:
    ///   - stages: without a node, that its frames fail without.
    ///   - areKnown: there are nodes for all of them, though none is ready.
    static func objection(to pipeline: String, missing stages: [String], areKnown: Bool) -> Fatal {
        Fatal(
            "no frame would be answered: for the pipeline \(pipeline) no node of the mesh is ready for "
                + stages.joined(separator: " and "), status: areKnown ? .unreachable : .usage)
    }
}

extension FrameOutcome {
    /// What an answer means.
    init(_ response: AnalyzeResponse) {
        let ending: Ending =
            switch response.status {
            case .ok: .ok
            case .partial: .partial(cause: RunSummary.kind(of: response.cause))
            case .dropped: .dropped(cause: RunSummary.kind(of: response.cause))
            case .error: Self.ending(StatusCode(rawValue: response.code), response.cause)
            }
        self.init(ending, latency: .zero)
        detections = response.detections.count
        isRetried = response.attempts > 0
        epoch = response.epoch
        stages = response.timing.map { ($0.stage, $0.microseconds) }
    }

    /// What a call that failed means.
    init(_ error: RPCError) { self.init(Self.ending(error.code, error.message), latency: .zero) }

    private static func ending(_ code: StatusCode, _ message: String) -> Ending {
        let cause = RunSummary.kind(of: "\(code): \(message)")
        return code == .resourceExhausted ? .refused(cause: cause) : .failed(cause: cause)
    }
}
