import Synchronization
package import Tracing

/// A piece of work of a trace. It ends once; what is said of it after that is lost. Those of a trace that is not recorded keep
/// nothing.
package final class MeshSpan: Tracing.Span {
    package let trace: TraceContext
    private let parent: SpanID?
    private let hasRemoteParent: Bool
    private let kind: SpanKind
    private let start: UInt64
    private let tracer: MeshTracer
    private let state: Mutex<State>

    private struct Stage {
        var name: String
        var duration: Duration
        /// Of the stage before, how much had not passed yet when this one began.
        var beside = Duration.zero
    }

    private struct State {
        var name: String
        var attributes = SpanAttributes()
        var events: [SpanEvent] = []
        var links: [SpanLink] = []
        var status: SpanStatus?
        var stages: [Stage] = []
        var hasEnded = false
    }

    init(
        _ name: String, _ kind: SpanKind, _ trace: TraceContext, parent: SpanID?, hasRemoteParent: Bool = false,
        start: UInt64, tracer: MeshTracer
    ) {
        self.trace = trace
        self.parent = parent
        self.hasRemoteParent = hasRemoteParent
        self.kind = kind
        self.start = start
        self.tracer = tracer
        state = Mutex(State(name: name))
    }

    package var isRecording: Bool { trace.isSampled && state.withLock { !$0.hasEnded } }

    private func change(_ body: (inout State) -> Void) {
        guard trace.isSampled else { return }
        state.withLock { state in if !state.hasEnded { body(&state) } }
    }

    /// The work went through these, one after the other: each becomes a span below this one. They are laid out at its end,
    /// behind what it took to receive the request.
    /// - Parameter overlap: the first of them began so long before the end of those that are known already.
    package func went(through stages: [(name: String, duration: Duration)], beside overlap: Duration = .zero) {
        change { state in
            for (index, stage) in stages.enumerated() {
                let beside = index == 0 ? overlap : .zero
                state.stages.append(Stage(name: stage.name, duration: stage.duration, beside: beside))
            }
        }
    }

    /// - Parameters:
    ///   - duration: from its beginning.
    ///   - receive: how much of that was the request on its way; nil: it is not known.
    ///   - send: the same of the answer.
    package func end(after duration: Duration, receive: Duration? = nil, send: Duration? = nil) {
        end(at: start &+ duration.nanoseconds, receive: receive, send: send)
    }

    /// Now.
    /// - Parameter send: how much of the last of it was the answer on its way.
    package func end(send: Duration) { end(at: DefaultTracerClock.now.nanosecondsSinceEpoch, send: send) }

    private func end(at end: UInt64, receive: Duration? = nil, send: Duration? = nil) {
        guard trace.isSampled else { return }
        let finished = state.withLock { state -> State? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            return state
        }
        guard let finished else { return }
        var time = start
        for stage in (receive.map { [Stage(name: "receive", duration: $0)] } ?? []) + finished.stages {
            let from = max(start, time &- min(time, stage.beside.nanoseconds))
            let next = min(from &+ stage.duration.nanoseconds, max(end, start))
            self.stage(stage.name, from: from, to: next)
            time = next
        }
        if let send { stage("send", from: max(start, end &- min(end, send.nanoseconds)), to: end) }
        tracer.end(
            FinishedSpan(
                name: finished.name, kind: kind, trace: trace, parent: parent, hasRemoteParent: hasRemoteParent,
                start: start, end: max(start, end), attributes: finished.attributes, events: finished.events,
                links: finished.links, status: finished.status))
    }

    private func stage(_ name: String, from start: UInt64, to end: UInt64) {
        tracer.end(
            FinishedSpan(
                name: name, kind: .internal, trace: tracer.context(below: trace), parent: trace.span, start: start,
                end: end, attributes: ["framemesh.stage": .string(name)]))
    }

    // ---- swift-distributed-tracing ----

    package var context: InstrumentationContext { trace.instrumentation }

    package var operationName: String {
        get { state.withLock { $0.name } }
        set { change { $0.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { change { $0.attributes = newValue } }
    }

    package func setStatus(_ status: SpanStatus) { change { $0.status = status } }

    package func addEvent(_ event: SpanEvent) { change { $0.events.append(event) } }

    package func addLink(_ link: SpanLink) { change { $0.links.append(link) } }

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.type"] = "\(type(of: error))"
        attributes["exception.message"] = "\(error)"
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        end(at: instant().nanosecondsSinceEpoch)
    }
}

extension Duration {
    /// Not less than 0; what is beyond 64 bits is their end.
    var nanoseconds: UInt64 { UInt64(clamping: attoseconds / 1_000_000_000) }
}
