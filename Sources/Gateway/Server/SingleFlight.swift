import RPC
import Synchronization

/// One run of some work for all who ask for its result meanwhile.
final class SingleFlight<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, any Error>

    private let isRunning = Mutex(false)
    private let waiters = Waiters<Outcome>()

    /// - Parameters:
    ///   - limit: how long this one waits; the work goes on for the others.
    ///   - work: must end by itself: whoever asked for it and is cancelled leaves it to the others.
    /// - Throws: what `work` does; the error of `limit`; CANCELLED.
    func value(
        until limit: Waiters<Outcome>.Limit? = nil, _ work: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        try await waiters.wait("the wait was cancelled", until: limit) {
            begin(work)
            return nil
        }.get()
    }

    /// Who waits is on the list by now, and hears of this run or the one before.
    private func begin(_ work: @Sendable @escaping () async throws -> Value) {
        let isFirst = isRunning.withLock { isRunning in
            defer { isRunning = true }
            return !isRunning
        }
        guard isFirst else { return }
        Task {
            let outcome: Outcome
            do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
            isRunning.withLock { $0 = false }
            waiters.resume(with: .success(outcome))
        }
    }
}
