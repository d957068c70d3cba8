import NIOCore

/// How long one input takes on a worker, as an exponentially weighted mean.
struct ServiceTime: Sendable {
    /// Weight of the newest value: about the last ten count.
    static let newest = 0.2

    /// Nanoseconds; zero until something was recorded.
    private(set) var mean = 0.0

    mutating func record(_ elapsed: TimeAmount, inputs: Int) {
        let each = Double(max(0, elapsed.nanoseconds)) / Double(max(1, inputs))
        mean = mean == 0 ? each : mean + Self.newest * (each - mean)
    }

    /// Of work that would take too long one in so many is done after all.
    static let tried = 10
    private var leftOut = 0

    /// Work would take too long: only work that is done tells whether that is still so.
    mutating func isTriedAnyway() -> Bool {
        leftOut = (leftOut + 1) % Self.tried
        return leftOut == 0
    }
}

extension TimeAmount {
    /// Clamped, so that no estimate can trap.
    static func nanoseconds(clamping value: Double) -> TimeAmount {
        .nanoseconds(Int64(min(max(0, value), 9e18)))
    }

    /// For people, for example `12 ms`.
    var inMilliseconds: String { "\(nanoseconds / 1_000_000) ms" }
}
