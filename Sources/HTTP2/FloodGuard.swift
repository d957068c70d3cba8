/// Frames that cost us more than the peer; over it GOAWAY (ENHANCE_YOUR_CALM).
public struct FloodLimits: Sendable {
    // ---- per second of one connection ----

    /// Streams that the peer reset (CVE-2023-44487).
    public var resetsReceived = 1000
    /// Streams that the peer made us reset (CVE-2025-8671), not those that we reset for reasons of our own.
    public var resetsSent = 1000
    /// PING (CVE-2019-9512) while we send nothing: peers measure the line with one at each turn of data.
    public var pings = 200
    /// SETTINGS (CVE-2019-9515).
    public var settings = 100
    /// DATA without bytes, padding or not, that does not end its stream (CVE-2019-9518).
    public var emptyData = 1000
    /// DATA of less than `tinyBytes` that does not end its stream (RUSTSEC-2026-0258). One of them is forgiven for
    /// each DATA frame of `fullBytes`: a message that is a little longer than its frames ends in a tiny one.
    public var tinyData = 1000
    /// Frames that say nothing to any call: PRIORITY, WINDOW_UPDATE, answers to PING, GOAWAY, PUSH_PROMISE, types that are not
    /// known, HEADERS of a client that open no stream, and DATA that ends more streams than it has opened; of a server all
    /// HEADERS, also those of status 1xx, and DATA without a message that ends its stream. For each HEADERS or DATA that we send `idlePerFrame` of them are allowed, whenever
    /// they come, and one more for each `bytesPerIdle`: so a peer may give credit for every frame, or for each prefix and
    /// each message of a few bytes, on its stream and on the connection.
    public var idleFrames = 1000

    // ---- of one connection ----

    /// How many of the frames that `idleFrames` allows for what we send are kept for a peer that says little now and
    /// much at once later: as many as give credit for 2 GiB in pieces of some KiB.
    public var maxIdleAllowance = 1 << 20

    // ---- at once ----

    /// A header block so many times over its limits ends the connection: whoever sends it means harm.
    public var headerOverrunFactor = 8
    /// CONTINUATION frames of one header block (CVE-2024-28182).
    public var maxContinuations = 8
    /// Entries of one SETTINGS frame (CVE-2020-11080).
    public var maxSettingsEntries = 32
    /// Answers to PING and SETTINGS that wait because the peer does not read (CVE-2019-9512, CVE-2019-9515).
    public var maxUnreadAnswers = 1000
    /// Frames that wait beside those of open streams, because the peer does not read: resets that it caused, credit.
    public var maxQueuedFrames = 4096

    /// No message is shorter than its prefix.
    public static let tinyBytes = 5
    public static let fullBytes = 1024
    /// See `idleFrames`.
    public static let idlePerFrame = 4
    public static let bytesPerIdle = 2

    public init() {}
}

/// Counts frames of a kind in the current second, and says when they are too many.
struct FloodGuard {
    enum Kind: Int, CaseIterable {
        case resetReceived, resetSent, ping, settings, emptyData, tinyData, idleFrame

        var limit: ConnectionLimit {
            switch self {
            case .resetReceived: .peerResets
            case .resetSent: .ownResets
            case .ping: .pings
            case .settings: .settings
            case .emptyData: .emptyData
            case .tinyData: .tinyData
            case .idleFrame: .idleFrames
            }
        }
    }

    private let limits: [Int]
    private var counts: [Int]
    private var second: UInt64 = 0
    /// Idle frames that the peer may send beside `idleFrames`.
    private var idleAllowed = 0
    private let mostIdleAllowed: Int

    init(_ limits: FloodLimits) {
        self.limits = [
            limits.resetsReceived, limits.resetsSent, limits.pings, limits.settings, limits.emptyData,
            limits.tinyData, limits.idleFrames,
        ]
        counts = Kind.allCases.map { _ in 0 }
        mostIdleAllowed = limits.maxIdleAllowance
    }

    /// - Parameter now: nanoseconds of a monotonic clock.
    mutating func advance(to now: UInt64) {
        let current = now / 1_000_000_000
        guard current != second else { return }
        second = current
        for index in counts.indices { counts[index] = 0 }
    }

    /// We have sent HEADERS or DATA, so a peer may have reason to ask (gRPC A8, "Server Enforcement"), and to give credit.
    mutating func sentCallFrame(bytes: Int) {
        counts[Kind.ping.rawValue] = 0
        let allowed = FloodLimits.idlePerFrame + bytes / FloodLimits.bytesPerIdle
        idleAllowed = min(idleAllowed + allowed, mostIdleAllowed)
    }

    /// A frame that says nothing to any call.
    mutating func countIdle() -> HTTP2Error? {
        guard idleAllowed == 0 else {
            idleAllowed -= 1
            return nil
        }
        return count(.idleFrame)
    }

    /// DATA that does not end its stream.
    /// - Parameter bytes: without padding.
    mutating func countData(bytes: Int) -> HTTP2Error? {
        if bytes >= FloodLimits.fullBytes {
            counts[Kind.tinyData.rawValue] = max(0, counts[Kind.tinyData.rawValue] - 1)
            return nil
        }
        if bytes >= FloodLimits.tinyBytes { return nil }
        return count(bytes == 0 ? .emptyData : .tinyData)
    }

    /// - Returns: what is wrong, once there are too many.
    mutating func count(_ kind: Kind) -> HTTP2Error? {
        counts[kind.rawValue] += 1
        let limit = limits[kind.rawValue]
        guard counts[kind.rawValue] > limit else { return nil }
        return HTTP2Error(
            .enhanceYourCalm, "more than \(limit) \(Self.names[kind.rawValue]) in a second", limit: kind.limit)
    }

    private static let names = [
        "streams were reset by the peer", "streams had to be reset", "PING frames", "SETTINGS frames",
        "empty DATA frames", "tiny DATA frames", "frames that say nothing to any call",
    ]
}
