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
        went(through: timing.map { ($0.stage, .microseconds($0.microseconds)) })
    }
}
