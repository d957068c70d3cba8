import Tracing

/// A span that has ended.
struct FinishedSpan: Sendable {
    var name: String
    var kind: SpanKind
    var trace: TraceContext
    /// nil: the trace begins here.
    var parent: SpanID?
    /// The parent is of another process.
    var hasRemoteParent = false
    /// Nanoseconds since the epoch.
    var start, end: UInt64
    var attributes = SpanAttributes()
    var events: [SpanEvent] = []
    var links: [SpanLink] = []
    var status: SpanStatus?
}
