/// What the log is told of one endpoint: each change once, and of one that flaps only the first few in a while.
struct EndpointNews: Sendable {
    enum Change: Sendable {
        case ready, unhealthy, lost, silent, ejected
    }

    struct Line: Sendable, Equatable {
        var text: String
        /// Lines that were left out since the last one.
        var leftOut: Int
    }

    /// Lines in `period`.
    static let most = 6
    /// Nanoseconds.
    static let period: UInt64 = 60_000_000_000

    private var last: Change?
    private var told = 0
    private var leftOut = 0
    private var began: UInt64 = 0

    /// - Returns: nil: it is no news, or too much of it.
    mutating func note(_ change: Change, now: UInt64) -> Line? {
        guard let text = text(of: change) else { return nil }
        last = change
        if now - min(now, began) >= Self.period {
            began = now
            told = 0
        }
        guard told < Self.most else {
            leftOut += 1
            return nil
        }
        told += 1
        defer { leftOut = 0 }
        return Line(text: text, leftOut: leftOut)
    }

    private func text(of change: Change) -> String? {
        switch (last, change) {
        case (.ready, .ready), (.unhealthy, .unhealthy), (.lost, .lost), (.silent, .silent), (.ejected, .ejected): nil
        // What was never ready cannot be lost; why it is not ready is in `framemesh nodes`.
        case (nil, .lost), (nil, .unhealthy), (.lost, .unhealthy), (.unhealthy, .lost): nil
        case (.silent, .ready): "endpoint answers its probe again"
        case (.ejected, .ready): "endpoint is well again"
        case (_, .ready): "endpoint is ready"
        case (_, .unhealthy): "endpoint is not ready any more"
        case (_, .lost): "endpoint is lost"
        case (_, .silent): "endpoint does not answer its probe"
        case (_, .ejected): "endpoint is left out because calls failed"
        }
    }
}
