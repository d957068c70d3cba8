package import Logging
package import Tracing

/// The trace that a task works for, as swift-distributed-tracing hands it on.
extension InstrumentationContext {
    private enum Key: InstrumentationContextKey {
        typealias Value = TraceContext
        static var nameOverride: String? { "trace" }
    }

    package var trace: TraceContext? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}

extension TraceContext {
    /// A context that holds this alone.
    package var instrumentation: InstrumentationContext {
        var context = InstrumentationContext.topLevel
        context.trace = self
        return context
    }

    /// What a line of the log says of it.
    package var fields: Logger.Metadata { ["trace_id": "\(trace.text)", "span_id": "\(span.text)"] }

    /// The same of whatever task writes the line.
    package static let ofTask = Logger.MetadataProvider { InstrumentationContext.current?.trace?.fields ?? [:] }
}
