import NIOCore

/// How often a connection looks at itself: a few times within the shortest of its limits.
enum WatchInterval {
    static let looks = 4
    static let shortest = TimeAmount.milliseconds(5)
    static let longest = TimeAmount.seconds(60)

    static func of(_ limits: [Duration?]) -> TimeAmount {
        let least = limits.compactMap { $0 }.min().map { TimeAmount($0 / looks) } ?? longest
        return min(max(least, shortest), longest)
    }
}
