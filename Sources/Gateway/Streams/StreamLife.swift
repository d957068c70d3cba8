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
    /// Why the last frame had no result; nil: it had one.
    private var failure: String?
    /// It is `look` that has said why it is stalled.
    private var isSilent = false

    init(now: ContinuousClock.Instant) { seen = now }

    /// A frame is answered.
    /// - Returns: true if this is news.
    mutating func answered(_ now: ContinuousClock.Instant) -> Bool {
        seen = now
        failure = nil
        return become(.live, nil)
    }

    /// A frame has ended without a result.
    mutating func missed(_ cause: String) { failure = cause }

    /// When `look` may have something to say, at the earliest. No frame moves it forward.
    func nextLook(_ now: ContinuousClock.Instant, stall: Duration) -> ContinuousClock.Instant {
        state == .live ? seen + stall : now + stall
    }

    /// A while has passed.
    /// - Parameter hasFrames: the source brings frames, so it is the mesh that is silent.
    mutating func look(_ now: ContinuousClock.Instant, stall: Duration, hasFrames: Bool) -> Bool {
        guard now - seen >= stall, state == .live || isSilent || state == .connecting && hasFrames && cause == nil
        else { return false }
        let seconds = stall.components.seconds
        let words = hasFrames ? failure ?? "no answer of the mesh for \(seconds) s" : "no frames for \(seconds) s"
        defer { isSilent = true }
        return become(state == .connecting ? .connecting : .stalled, words)
    }

    /// The source or the mesh is gone; it is looked for.
    mutating func trouble(_ cause: String) -> Bool { become(state == .connecting ? .connecting : .stalled, cause) }

    mutating func fail(_ cause: String) -> Bool { become(.failed, cause) }

    mutating func end() -> Bool { become(.ended, nil) }

    private mutating func become(_ state: State, _ cause: String?) -> Bool {
        isSilent = false
        guard !self.state.isOver, self.state != state || self.cause != cause else { return false }
        self.state = state
        self.cause = cause
        return true
    }
}
