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
    /// The message that comes while the window changes belongs to neither.
    private var isChanging = false
    private var times: [Double] = []
    private var stay = firstStay
    private var lastWinner: Bool?

    init(narrow: Int, wide: Int?) {
        self.narrow = narrow
        self.wide = wide.flatMap { $0 > narrow ? $0 : nil }
    }

    /// A large message that was alone has come whole, in `time` from where its length was known.
    /// - Returns: the window that the peer is to have from now on; nil: it stays.
    mutating func received(bytes: Int, in time: TimeAmount) -> Int? {
        guard wide != nil, bytes > 0 else { return nil }
        switch phase {
        case .staying(let messages):
            phase = messages > 1 ? .staying(messages: messages - 1) : .measuring(other: nil)
            return nil
        case .measuring(let other):
            guard !isChanging else {
                isChanging = false
                return nil
            }
            times.append(Double(time.nanoseconds) / Double(bytes))
            guard times.count == Self.sample else { return nil }
            let typical = times.sorted()[Self.sample / 2]
            times = []
            guard let other else {
                phase = .measuring(other: typical)
                isChanging = true
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

    /// Others come, which would wait behind all that is on its way. It stays narrow for as many messages as after a trial.
    /// - Returns: as of `received`.
    mutating func end() -> Int? {
        guard isWide || !times.isEmpty else { return nil }
        times = []
        isChanging = false
        stay = min(stay * Self.growth, Self.longestStay)
        phase = .staying(messages: stay)
        return change(toWide: false)
    }

    private mutating func change(toWide: Bool) -> Int? {
        guard toWide != isWide else { return nil }
        isWide = toWide
        return toWide ? wide : narrow
    }
}
