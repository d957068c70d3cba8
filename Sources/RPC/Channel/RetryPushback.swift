/// What a server that failed a call says about another attempt: `grpc-retry-pushback-ms` (gRPC proposal A6,
/// "Pushback").
enum RetryPushback: Equatable {
    case never
    case after(Duration)

    static let key = "grpc-retry-pushback-ms"

    /// nil: it says nothing. A negative number, or what is no number, means never.
    init?(_ trailers: Metadata) {
        guard !trailers.isEmpty, let text = trailers[Self.key] else { return nil }
        guard let milliseconds = Int32(text), milliseconds >= 0 else {
            self = .never
            return
        }
        self = .after(.milliseconds(milliseconds))
    }
}
