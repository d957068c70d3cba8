import Messages
import RPC
import Traces
import Tracing

/// The traces of the frames of one stream. A stream may last for days, so each of its frames is a trace of its own, which names
/// the stream's call as a link; of a stream that is told not to be recorded no frame is.
struct StreamTraces: Sendable {
    let tracer: MeshTracer
    /// The stream's call; nil: it is in no trace.
    let call: TracedWork?

    func begin(_ frame: Frame, _ pipeline: String) -> TracedWork {
        if let call, !call.context.isSampled { return call }
        let work = tracer.begin("frame", .internal, below: nil)
        guard let span = work.span else { return work }
        span.tell(frame, pipeline)
        if let call { span.addLink(SpanLink(context: call.context.instrumentation, attributes: [:])) }
        return work
    }
}

extension MeshSpan {
    /// Which frame it is of.
    func tell(_ frame: Frame, _ pipeline: String) {
        updateAttributes { attributes in
            attributes["framemesh.frame"] = Int(clamping: frame.sequence)
            if !frame.stream.isEmpty { attributes["framemesh.stream"] = frame.stream }
            attributes["framemesh.pipeline"] = pipeline
        }
    }

    /// A frame of a stream has its answer, and its client has taken that.
    func end(_ response: AnalyzeResponse, send: Duration) {
        attributes["framemesh.status"] = "\(response.status)"
        if response.status == .error { setStatus(SpanStatus(code: .error, message: response.cause)) }
        went(through: response.timing.filter { $0.stage == "track" }.map { ($0.stage, .microseconds($0.microseconds)) })
        end(send: send)
    }

    /// Nobody takes the answer of a frame of a stream any more.
    func abandon() {
        attributes["framemesh.status"] = "abandoned"
        end()
    }
}
