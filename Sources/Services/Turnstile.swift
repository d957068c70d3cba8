import Synchronization

/// Lets tasks through one at a time, in the order of their numbers: 0, 1, 2, …
final class Turnstile: Sendable {
    private typealias Sleeper = CheckedContinuation<Void, any Error>

    private struct State {
        var turn = 0
        var sleepers: [Int: Sleeper] = [:]
        /// Cancelled before they slept.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// Waits until it is the turn of `number`, which waits here once.
    /// - Throws: `CancellationError` when the task was cancelled meanwhile.
    func wait(for number: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (sleeper: Sleeper) in
                let verdict = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if state.turn == number { return .success(()) }
                    state.sleepers[number] = sleeper
                    return nil
                }
                if let verdict { sleeper.resume(with: verdict) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: number)
                if sleeper == nil { state.cancelled.insert(number) }
                return sleeper
            }
            sleeper?.resume(throwing: CancellationError())
        }
    }

    /// The turn of the next one; called by whose turn it is.
    func pass() {
        let sleeper = state.withLock { state in
            state.turn += 1
            return state.sleepers.removeValue(forKey: state.turn)
        }
        sleeper?.resume()
    }
}
