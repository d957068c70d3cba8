import Synchronization

/// A number that many tasks change.
final class Counter: Sendable {
    private let state = Mutex((now: 0, most: 0))

    var value: Int { state.withLock { $0.now } }
    /// The largest it has been.
    var most: Int { state.withLock { $0.most } }

    func add(_ amount: Int = 1) {
        state.withLock { state in
            state.now += amount
            state.most = max(state.most, state.now)
        }
    }
}
