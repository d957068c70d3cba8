import NIOCore
import RPC

/// Where the stages of a frame may go: to nodes of one stage, and to nodes that have both.
///
/// Both stages of a frame go to one node in one call, which decodes the picture once (stage fusion), where there is such a
/// node. Otherwise each stage goes to a node of its own. A node that has both also does one.
struct Places: Sendable {
    var detectors: (any StageCaller)?
    var classifiers: (any StageCaller)?
    var nodes: (any StageCaller)?
    /// By those nodes, of calls with both stages.
    var refusals = FusionRefusals()

    /// nil: nobody does this.
    func caller(for stage: Pipeline.Stage) -> (any StageCaller)? {
        let own = stage == .detect ? detectors : classifiers
        guard let own else { return nodes }
        return !own.isReady && nodes?.isReady == true ? nodes : own
    }

    func isReady(_ stage: Pipeline.Stage) -> Bool { caller(for: stage)?.isReady ?? false }

    /// Who takes both stages in one; nil: nobody now.
    func fusing(now: NIODeadline) -> (any StageCaller)? {
        guard let nodes, !refusals.hold(at: now) else { return nil }
        // While none of them is ready, nodes of one stage are better than waiting.
        return nodes.isReady || !isOneReadyApart ? nodes : nil
    }

    /// A frame that those nodes cannot take finds others for both of its stages.
    var areReadyApart: Bool { detectors?.isReady == true && classifiers?.isReady == true }

    /// At least one of them.
    var isOneReadyApart: Bool { detectors?.isReady == true || classifiers?.isReady == true }

    /// What becomes of a frame whose call with both stages has failed.
    enum Verdict: Equatable {
        /// The error is that of both stages.
        case stands
        case apart
        /// And those after it, for a while.
        case apartFromNowOn
    }

    func verdict(on error: RPCError) -> Verdict {
        switch error.code {
        // It knows no such calls, or not the models, or we may not.
        case .unimplemented, .notFound, .permissionDenied: .apartFromNowOn
        // Gone: the answer of one stage is better than none.
        case .unavailable: isOneReadyApart ? .apart : .stands
        // Full: half of the work would come back to it.
        case .resourceExhausted: areReadyApart ? .apart : .stands
        // Of the picture, of its time, or of what it does to nodes: others would say the same, or die of it.
        default: .stands
        }
    }
}

extension StageCaller {
    /// There is a node.
    var isReady: Bool { lastRecovery != nil }
}
