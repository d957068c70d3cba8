import Mesh
import NIOCore
import RPC

/// Where the stages of a frame may go: to nodes of one stage, and to nodes that have both.
///
/// Both stages of a frame go to one node in one call, which decodes the picture once (stage fusion), where there is such a
/// node, unless all of those have enough to do and others have nothing. Otherwise each stage goes to a node of its own. A node
/// that has both also does one.
struct Places: Sendable {
    var detectors: (any StageCaller)?
    var classifiers: (any StageCaller)?
    var nodes: (any StageCaller)?
    /// By those nodes, of calls with both stages.
    var refusals = FusionRefusals()

    /// nil: nobody does this.
    func caller(for stage: Pipeline.Stage) -> (any StageCaller)? { callers(for: stage).first }

    /// Who takes a stage, and who takes it where the first are gone: the stage's own nodes come before those that have
    /// both, and who is ready before who is not.
    func callers(for stage: Pipeline.Stage) -> (first: (any StageCaller)?, second: (any StageCaller)?) {
        let own = stage == .detect ? detectors : classifiers
        guard let own else { return (nodes, nil) }
        if !own.isReady, nodes?.isReady == true { return (nodes, own) }
        return (own, nodes)
    }

    func isReady(_ stage: Pipeline.Stage) -> Bool { caller(for: stage)?.isReady ?? false }

    /// Who takes both stages in one; nil: nobody now.
    func fusing(now: NIODeadline) -> (any StageCaller)? {
        guard let nodes, !refusals.hold(at: now), !isSoonerApart else { return nil }
        // While none of them is ready, nodes of one stage are better than waiting.
        return nodes.isReady || !isOneReadyApart ? nodes : nil
    }

    /// Costs that differ by less are the same, as they are between the nodes of one stage.
    private static let alike = 1.5

    /// Each node of both stages runs as much as it can at one time, while a detector and a classifier have room, and these would
    /// be done with the frame sooner, one after the other.
    var isSoonerApart: Bool {
        guard let both = nodes?.outlook, both.fill >= 1, let detect = detectors?.outlook, detect.fill < 1,
            let classify = classifiers?.outlook, classify.fill < 1
        else { return false }
        // Of who has answered nothing yet, the first frames tell.
        guard let one = both.cost, let first = detect.cost, let second = classify.cost else { return true }
        return (first + second) * Self.alike < one
    }

    /// A frame that those nodes cannot take finds others for both of its stages.
    var areReadyApart: Bool { detectors?.isReady == true && classifiers?.isReady == true }

    /// Each node that could begin with a frame of the pipeline has as many calls as it runs at one time, or there is none.
    func areBusy(for pipeline: Pipeline) -> Bool {
        func isBusy(_ caller: (any StageCaller)?) -> Bool { (caller?.outlook?.fill ?? 1) >= 1 }
        guard let (input, topK) = pipeline.classify else { return isBusy(caller(for: .detect)) }
        let classifies = Pipeline.Stage.classify(input, topK: topK)
        guard pipeline.detects else { return isBusy(caller(for: classifies)) }
        // What looks at boxes comes after them: while it has a frame, those who find them can have the next one.
        if case .boxes = input { return isBusy(nodes) && isBusy(detectors) }
        return isBusy(nodes) && (isBusy(detectors) || isBusy(classifiers))
    }

    var isAnyReady: Bool { nodes?.isReady == true || isOneReadyApart }

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
