import UnixSignals

/// What the signals of a run mean: the first asks for its end, another one for that at once.
struct SeenSignals: Sendable {
    enum Meaning: Sendable {
        case end, endAtOnce
        /// The same, once more.
        case echo
    }

    /// `timeout` sends its signal to the process and to its whole group; a script that the terminal tells of Ctrl-C, too, ends
    /// its children with SIGTERM besides; and nobody presses Ctrl-C twice that soon.
    static let echoTime: Duration = .milliseconds(500)

    private(set) var first: UnixSignal?
    private var time: ContinuousClock.Instant?

    mutating func saw(_ signal: UnixSignal, at now: ContinuousClock.Instant) -> Meaning {
        guard let time else {
            (self.first, self.time) = (signal, now)
            return .end
        }
        return now - time < Self.echoTime ? .echo : .endAtOnce
    }
}
