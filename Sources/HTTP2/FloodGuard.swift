/// Frames that cost us more than the peer, per second of one connection; over it GOAWAY (ENHANCE_YOUR_CALM).
public struct FloodLimits: Sendable {
    /// Streams that the peer reset (CVE-2023-44487).
    public var resetsReceived = 1000
    /// Streams that the peer made us reset (CVE-2025-8671).
    public var resetsSent = 1000
    /// PING (CVE-2019-9512) while we send nothing: peers measure the line with one at each turn of data.
    public var pings = 200
    /// SETTINGS (CVE-2019-9515).
    public var settings = 100
    /// DATA without bytes that does not end its stream (CVE-2019-9518).
    public var emptyData = 1000

    public init() {}
}

/// Counts frames of a kind in the current second, and says when they are too many.
struct FloodGuard {
    enum Kind: Int, CaseIterable { case resetReceived, resetSent, ping, settings, emptyData }

    private let limits: [Int]
    private var counts: [Int]
    private var second: UInt64 = 0

    init(_ limits: FloodLimits) {
        self.limits = [
            limits.resetsReceived, limits.resetsSent, limits.pings, limits.settings, limits.emptyData,
        ]
        counts = Kind.allCases.map { _ in 0 }
    }

    /// - Parameter now: nanoseconds of a monotonic clock.
    mutating func advance(to now: UInt64) {
        let current = now / 1_000_000_000
        guard current != second else { return }
        second = current
        for index in counts.indices { counts[index] = 0 }
    }

    /// We have sent HEADERS or DATA, so a peer may have reason to ask (gRPC A8, "Server Enforcement").
    mutating func forgivePings() { counts[Kind.ping.rawValue] = 0 }

    /// - Returns: what is wrong, once there are too many.
    mutating func count(_ kind: Kind) -> String? {
        counts[kind.rawValue] += 1
        let limit = limits[kind.rawValue]
        guard counts[kind.rawValue] > limit else { return nil }
        return "more than \(limit) \(Self.names[kind.rawValue]) in a second"
    }

    private static let names = [
        "streams were reset by the peer", "streams had to be reset", "PING frames", "SETTINGS frames",
        "empty DATA frames",
    ]
}
