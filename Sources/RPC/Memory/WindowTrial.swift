import NIOCore

/// The window of a connection while large messages come one at a time: narrow, or so wide that none of them stops for
/// credit, whichever carries them faster. That is measured.
///
/// Few bytes on their way stay in the caches of both processors; many spare the stops, and what a line with a long round trip
/// loses. Which counts for more differs from machine to machine, by half either way (benchmarks/rpc/README.md). So some
/// messages are received with each window, and the faster one stays for a while, longer each time that it wins again. A value
/// of the connection's loop.
struct WindowTrial {
    /// Messages with each window, of which the one in the middle counts.
    static let sample = 9
    /// Messages after which it is tried again.
    static let firstStay = 64
    static let growth = 4
    static let longestStay = 4096
    /// The narrow one stays unless the wide one takes at most so much of its time: calls on the same connection wait less.
    static let least = 0.95

    private enum Phase {
        /// With one window, after what the other one was measured to take, in nanoseconds a byte.
        case measuring(other: Double?)
        case staying(messages: Int)
    }

    private let narrow: Int
    /// nil: there is no trial.
    private let wide: Int?
    private(set) var isWide = false
    private var phase = Phase.measuring(other: nil)
    /// Bytes of messages that come while the window changes and belong to neither: one, and of a narrower window as
    /// much as its peer may still send of the wider one.
    private var passing = 0
    private var times: [Double] = []
    private var stay = firstStay
    private var lastWinner: Bool?

    init(narrow: Int, wide: Int?) {
        self.narrow = narrow
        self.wide = wide.flatMap { $0 > narrow ? $0 : nil }
    }

    /// A large message that was alone has come whole, in `time` from where its length was known. One that came in one
    /// read says nothing: no window has held it up.
    /// - Returns: the window that the peer is to have from now on; nil: it stays.
    mutating func received(bytes: Int, in time: TimeAmount) -> Int? {
        guard wide != nil, bytes > 0, time > .zero else { return nil }
        let belongsToNeither = passing > 0
        passing = max(0, passing - bytes)
        switch phase {
        case .staying(let messages):
            phase = messages > 1 ? .staying(messages: messages - 1) : .measuring(other: nil)
            return nil
        case .measuring(let other):
            guard !belongsToNeither else { return nil }
            times.append(Double(time.nanoseconds) / Double(bytes))
            guard times.count == Self.sample else { return nil }
            let typical = times.sorted()[Self.sample / 2]
            times = []
            guard let other else {
                phase = .measuring(other: typical)
                return change(toWide: !isWide)
            }
            return decide(isWide ? typical <= other * Self.least : other <= typical * Self.least)
        }
    }

    private mutating func decide(_ wideWins: Bool) -> Int? {
        stay = lastWinner == wideWins ? min(stay * Self.growth, Self.longestStay) : Self.firstStay
        lastWinner = wideWins
        phase = .staying(messages: stay)
        return change(toWide: wideWins)
    }

    /// Others come, which would wait behind all that is on its way. It stays narrow for as many messages as after a
    /// trial, from the last of the others on: where one comes each second, one in ten would else be what ends a wide
    /// one.
    /// - Returns: as of `received`.
    mutating func end() -> Int? {
        switch phase {
        case .staying where !isWide:
            phase = .staying(messages: stay)
            return nil
        case .measuring(other: .none) where !isWide && times.isEmpty: return nil
        default: break
        }
        times = []
        stay = min(stay * Self.growth, Self.longestStay)
        phase = .staying(messages: stay)
        return change(toWide: false)
    }

    private mutating func change(toWide: Bool) -> Int? {
        guard toWide != isWide, let wide else { return nil }
        isWide = toWide
        passing = toWide ? 1 : wide - narrow
        return toWide ? wide : narrow
    }
}
