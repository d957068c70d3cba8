package import RPC

/// What the export of traces may take.
package struct TraceLimits: Sendable {
    /// Spans that wait to be sent; more are dropped.
    package var queuedSpans = 8192
    /// Spans of one request.
    package var batchSpans = 512
    /// How long a span waits for others.
    package var interval: Duration = .seconds(1)
    /// How long the receiver has to answer one request.
    package var timeout: Duration = .seconds(10)
    /// How long one request is tried again, from when it was first sent.
    package var retryTime: Duration = .seconds(60)
    /// Between two attempts at a request, unless the receiver names another time.
    var backoff = Backoff(initial: .seconds(1), factor: 2, longest: .seconds(10))
    /// For what waits when the process ends.
    package var flushTime: Duration = .seconds(3)

    package init() {}

    package static let limits: [Limit<TraceLimits>] = [
        Limit("queued-spans", \.queuedSpans, .count, "Spans that wait to be sent; more are dropped, and counted."),
        Limit("batch-spans", \.batchSpans, .count, in: 1...8192, "Spans of one request to the receiver of traces."),
        Limit("interval", \.interval, "How long a span waits for others that are sent with it."),
        Limit("timeout", \.timeout, "How long the receiver of traces has to answer a request."),
        Limit("retry-time", \.retryTime, "How long a request to the receiver of traces is tried again."),
        Limit("flush-time", \.flushTime, "For the spans that wait when the process ends."),
    ]
}
