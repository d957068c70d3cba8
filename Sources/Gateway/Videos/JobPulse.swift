import Synchronization

/// Whether results of a job come, and what is in the way if none do.
final class JobPulse: Sendable {
    private struct State {
        var lastAnswer: ContinuousClock.Instant
        var isLost = false
        /// Frames are with the mesh; else nothing of it is waited for.
        var isAnalysing = false
        /// What was said since the last answer.
        var said = ""
    }

    /// What is waited for where nothing else is known to be missing.
    static let answer = "an answer of the mesh"

    private let patience: Duration
    private let state: Mutex<State>

    /// - Parameter patience: without a result for so long it says what it waits for.
    init(_ patience: Duration, now: ContinuousClock.Instant) {
        self.patience = patience
        state = Mutex(State(lastAnswer: now))
    }

    func begin(now: ContinuousClock.Instant) {
        state.withLock { $0 = State(lastAnswer: now, isAnalysing: true) }
    }

    func heard(now: ContinuousClock.Instant) {
        state.withLock { $0 = State(lastAnswer: now, isAnalysing: true) }
    }

    /// The coordinator is gone.
    func lost() { state.withLock { $0.isLost = true } }

    func end() { state.withLock { $0.isAnalysing = false } }

    /// When it is to be said that nothing comes, unless something does; nil: it is said already, or nothing is waited for.
    func stallsAt(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        state.withLock { state in
            let end = state.lastAnswer + patience
            return state.isAnalysing && end > now ? end : nil
        }
    }

    /// Whether it is to be said what is waited for: it was not yet, or it was something else.
    func hasNews(now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            let words = self.words(state, now)
            return !words.isEmpty && words != state.said
        }
    }

    /// As `waitingFor`, and it is said with that.
    func say(now: ContinuousClock.Instant) -> String {
        state.withLock { state in
            state.said = words(state, now)
            return state.said
        }
    }

    /// In plain words; empty: results come.
    func waitingFor(now: ContinuousClock.Instant) -> String { state.withLock { words($0, now) } }

    private func words(_ state: State, _ now: ContinuousClock.Instant) -> String {
        guard state.isAnalysing else { return "" }
        if state.isLost { return "a coordinator" }
        return now - state.lastAnswer >= patience ? Self.answer : ""
    }
}
