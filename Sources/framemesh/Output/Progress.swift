import Results

/// How far a run is, as one line for a terminal. Time is passed in.
struct Progress: Sendable {
    /// The rate is that of the last seconds: a stall must show.
    static let rateWindow: Duration = .seconds(5)
    static let barWidth = 24

    enum Unit: Sendable { case frames, bytes }

    var unit: Unit
    /// nil: unknown.
    var total: UInt64?
    private(set) var done: UInt64
    private(set) var dropped: UInt64 = 0
    private(set) var failed: UInt64 = 0
    private let start: ContinuousClock.Instant
    /// What was done by when, within the window, oldest first.
    private var marks: [(time: ContinuousClock.Instant, done: UInt64)]

    init(_ unit: Unit = .frames, total: UInt64?, done: UInt64 = 0, start: ContinuousClock.Instant) {
        self.unit = unit
        self.total = total
        self.done = done
        self.start = start
        marks = [(start, done)]
    }

    mutating func advance(_ count: UInt64 = 1, dropped: Bool = false, failed: Bool = false) {
        done += count
        if dropped { self.dropped += count }
        if failed { self.failed += count }
    }

    /// - Parameter count: done by now; less than before if it had to start over.
    mutating func reach(_ count: UInt64, at now: ContinuousClock.Instant) {
        if count < done { marks = [(now, count)] }
        done = count
    }

    /// A second since the start or the oldest mark, zero before the first moment has passed.
    func rate(at now: ContinuousClock.Instant) -> Double {
        guard let oldest = marks.first else { return 0 }
        let seconds = (now - oldest.time) / .seconds(1)
        return seconds > 0 && done > oldest.done ? Double(done - oldest.done) / seconds : 0
    }

    /// Seconds to the end at the present rate.
    func remaining(at now: ContinuousClock.Instant) -> Double? {
        let rate = rate(at: now)
        guard let total, rate > 0 else { return nil }
        return done >= total ? 0 : Double(total - done) / rate
    }

    /// The line, and a mark for the rates to come.
    mutating func line(at now: ContinuousClock.Instant) -> String {
        var parts: [String] = []
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            let filled = Int(share * Double(Self.barWidth))
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.barWidth - filled)
            parts.append("[\(bar)] \(Int(share * 100))%")
            parts.append("\(amount(done))/\(amount(total))")
        } else {
            parts.append("\(amount(done))")
        }
        let rate = rate(at: now)
        parts.append(
            unit == .frames
                ? "\(JSONText.number(rate, decimals: 1)) frames/s" : "\(Self.bytes(UInt64(min(rate, 0x1p53))))/s")
        if let remaining = remaining(at: now), done < total ?? 0 { parts.append("ETA \(Self.clock(remaining))") }
        if dropped > 0 { parts.append("\(dropped) dropped") }
        if failed > 0 { parts.append("\(failed) failed") }
        mark(now)
        return parts.joined(separator: "  ")
    }

    private mutating func mark(_ now: ContinuousClock.Instant) {
        marks.append((now, done))
        // One mark stays outside of the window, so that the rate always spans it.
        while marks.count > 2, now - marks[1].time >= Self.rateWindow { marks.removeFirst() }
    }

    private func amount(_ count: UInt64) -> String { unit == .frames ? "\(count)" : Self.bytes(count) }

    /// `1.4 MB`, powers of ten.
    static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        for unit in ["B", "kB", "MB"] {
            if value < 1000 { return "\(JSONText.number(value, decimals: unit == "B" ? 0 : 1)) \(unit)" }
            value /= 1000
        }
        return "\(JSONText.number(value, decimals: 2)) GB"
    }

    /// `1:05` or `2:03:04`.
    static func clock(_ seconds: Double) -> String {
        let all = Int(min(max(0, seconds), 359_999).rounded(.up))
        let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}
