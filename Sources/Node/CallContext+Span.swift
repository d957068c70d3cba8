import Messages
import RPC
import Traces
import Tracing

extension CallContext {
    /// nil: the call is not traced.
    var span: MeshSpan? { values[TracedWork.self]?.span }
}

extension MeshSpan {
    /// Which frame it was, and the stages that it went through.
    func tell(_ frame: Frame, _ timing: [Timing]) {
        updateAttributes { attributes in
            attributes["framemesh.frame"] = Int(clamping: frame.sequence)
            if !frame.stream.isEmpty { attributes["framemesh.stream"] = frame.stream }
        }
        let overlap = timing.first { $0.stage == Timing.overlap }.map { Duration.microseconds($0.microseconds) }
        let steps = timing.filter { $0.stage != Timing.overlap }
        // The second stage began while the first one ran.
        let second = overlap == nil ? nil : steps.firstIndex { $0.stage.hasPrefix("classify.") }
        went(through: steps[..<(second ?? steps.endIndex)].map(\.step))
        if let second, let overlap { went(through: steps[second...].map(\.step), beside: overlap) }
    }
}

extension Timing {
    fileprivate var step: (name: String, duration: Duration) { (stage, .microseconds(microseconds)) }
}
