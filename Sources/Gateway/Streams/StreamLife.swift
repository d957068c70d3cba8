/// How a stream is.
///
///     connecting ──frame──▶ live ──none for a while, or no mesh──▶ stalled ──frame──▶ live
///          └───────────────── for good ────────────────┴──▶ failed          (ended: as it was asked to)
struct StreamLife: Sendable, Equatable {
    enum State: String, Sendable, CaseIterable {
        case connecting, live, stalled, failed, ended

        var isOver: Bool { self == .failed || self == .ended }
    }

    private(set) var state = State.connecting
    /// Why, when it is not live.
    private(set) var cause: String?
    private var seen: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) { seen = now }

    /// A frame is answered.
    /// - Returns: true if this is news.
    mutating func answered(_ now: ContinuousClock.Instant) -> Bool {
        seen = now
        return become(.live, nil)
    }

    /// When `look` may have something to say, at the earliest. No frame moves it forward.
    func nextLook(_ now: ContinuousClock.Instant, stall: Duration) -> ContinuousClock.Instant {
        state == .live ? seen + stall : now + stall
    }

    /// A while has passed.
    mutating func look(_ now: ContinuousClock.Instant, stall: Duration) -> Bool {
        guard state == .live, now - seen >= stall else { return false }
        return become(.stalled, "no frames for \(stall.components.seconds) s")
    }

    /// The source or the mesh is gone; it is looked for.
    mutating func trouble(_ cause: String) -> Bool { become(state == .connecting ? .connecting : .stalled, cause) }

    mutating func fail(_ cause: String) -> Bool { become(.failed, cause) }

    mutating func end() -> Bool { become(.ended, nil) }

    private mutating func become(_ state: State, _ cause: String?) -> Bool {
        guard !self.state.isOver, self.state != state || self.cause != cause else { return false }
        self.state = state
        self.cause = cause
        return true
    }
}
