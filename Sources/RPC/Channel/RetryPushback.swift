/// What a server that failed a call says about another attempt: `grpc-retry-pushback-ms` (gRPC proposal A6,
/// "Pushback").
enum RetryPushback: Equatable {
    case never
    case after(Duration)

    static let key = "grpc-retry-pushback-ms"

    /// nil: it says nothing. A negative number, or what is no number, means never.
    init?(_ trailers: Metadata) {
        guard !trailers.isEmpty, let text = trailers[Self.key] else { return nil }
        guard let milliseconds = Int32(text), milliseconds >= 0, !text.hasPrefix("+") else {
            self = .never
            return
        }
        self = .after(.milliseconds(milliseconds))
    }
}

extension RPCError {
    /// The same, which asks its peer not to try again before this time (`grpc-retry-pushback-ms`).
    public func pushingBack(_ wait: Duration) -> RPCError {
        var error = self
        let milliseconds = min(max(0, wait / .milliseconds(1)), Double(Int32.max))
        error.metadata.add(RetryPushback.key, "\(Int32(milliseconds.rounded(.up)))")
        return error
    }

    /// How long a server that refused a call asked to wait before the next attempt. nil: it did not say, or wants none.
    public var pushback: Duration? {
        if case .after(let wait) = RetryPushback(metadata) { wait } else { nil }
    }
}
