import RPC
package import Tracing

/// Begins the spans of a process: children of what their callers say, and traces of their own, of which a ratio is
/// recorded. Spans that have ended go to the exporter.
///
/// It is handed to those who use it, and not made the tracer of the process: libraries that look for one would tell strangers
/// (receivers of webhooks, cameras) which trace they are called for.
package struct MeshTracer: Tracer {
    private let ratio: TraceRatio
    private let ended: @Sendable (FinishedSpan) -> Void

    /// - Parameter ratio: of the traces that begin here.
    init(ratio: Double, ended: @escaping @Sendable (FinishedSpan) -> Void) {
        self.ratio = TraceRatio(ratio)
        self.ended = ended
    }

    func end(_ span: FinishedSpan) { ended(span) }

    /// The context of a new span. Whether it is recorded is what its parent says, or else the ratio.
    func context(below parent: TraceContext?) -> TraceContext {
        var random = SystemRandomNumberGenerator()
        let span = SpanID.random(using: &random)
        if var context = parent {
            context.span = span
            return context
        }
        let trace = TraceID.random(using: &random)
        return TraceContext(trace: trace, span: span, isSampled: ratio.samples(trace))
    }

    /// - Parameters:
    ///   - parent: nil: a trace begins.
    ///   - isRemote: the parent is of another process.
    package func begin(
        _ name: String, _ kind: SpanKind, below parent: TraceContext?, isRemote: Bool = false,
        at start: UInt64 = DefaultTracerClock.now.nanosecondsSinceEpoch
    ) -> TracedWork {
        let context = context(below: parent)
        guard context.isSampled else {
            // Without a span of ours those after us see the one before us.
            return TracedWork(context: parent ?? context, span: nil)
        }
        let span = MeshSpan(
            name, kind, context, parent: parent?.span, hasRemoteParent: isRemote && parent != nil, start: start,
            tracer: self)
        return TracedWork(context: context, span: span)
    }
}

/// What some work is for: a trace, and the work's own span, if the trace is recorded.
package struct TracedWork: Sendable {
    package var context: TraceContext
    package var span: MeshSpan?

    /// Runs `body` for the trace.
    package func run<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        try await InstrumentationContext.$current.withValue(context.instrumentation) { try await body() }
    }
}

extension TracedWork: CallValueKey {
    /// Of the call that a server answers.
    package typealias Value = TracedWork
}

// ---- swift-distributed-tracing ----

extension MeshTracer {
    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> MeshSpan {
        let parent = context().trace
        let start = instant().nanosecondsSinceEpoch
        let work = begin(operationName, kind, below: parent, at: start)
        return work.span
            ?? MeshSpan(operationName, kind, work.context, parent: parent?.span, start: start, tracer: self)
    }

    @available(*, deprecated)
    package func startAnySpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> any Tracing.Span {
        startSpan(
            operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID, line: line
        )
    }

    @available(*, deprecated)
    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        func values(_ key: String) -> [String] { extractor.extract(key: key, from: carrier).map { [$0] } ?? [] }
        if let told = TraceContext(
            parents: values(TraceContext.parentField), states: values(TraceContext.stateField))
        {
            context.trace = told
        }
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.parent, forKey: TraceContext.parentField, into: &carrier)
        if !trace.state.text.isEmpty {
            injector.inject(trace.state.text, forKey: TraceContext.stateField, into: &carrier)
        }
    }
}
