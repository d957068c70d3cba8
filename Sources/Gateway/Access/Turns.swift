import Synchronization

/// So many at one time; who comes later waits. Next is whoever's caller has the fewest at that time, and of those who came first:
/// one caller's many that take long hold up another's only until one of them is done.
///
///     try await turns.run(for: caller.key) { try await look(at: path) }
final class Turns: Sendable {
    private struct Waiter: Sendable {
        var number: UInt64
        var caller: Caller.Key
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var running = 0
        var ofCaller: [Caller.Key: Int] = [:]
        /// As they came.
        var waiting: [Waiter] = []
        var lastNumber: UInt64 = 0

        mutating func begin(_ caller: Caller.Key) {
            running += 1
            ofCaller[caller, default: 0] += 1
        }

        mutating func end(_ caller: Caller.Key) {
            running -= 1
            let rest = ofCaller[caller, default: 0] - 1
            ofCaller[caller] = rest > 0 ? rest : nil
        }

        /// Takes out who is next.
        mutating func takeNext() -> Waiter? {
            let taken = waiting.map { ofCaller[$0.caller, default: 0] }
            guard let fewest = taken.min(), let index = taken.firstIndex(of: fewest) else { return nil }
            return waiting.remove(at: index)
        }
    }

    private let count: Int
    private let state = Mutex(State())

    init(_ count: Int) { self.count = count }

    var waiting: Int { state.withLock { $0.waiting.count } }

    /// - Throws: `CancellationError` where the task is cancelled before it has its turn; what `body` throws.
    func run<Value>(for caller: Caller.Key, _ body: () async throws -> Value) async throws -> Value {
        try await begin(caller)
        defer { end(caller) }
        return try await body()
    }

    private func begin(_ caller: Caller.Key) async throws {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    // Who cancels waits for the lock, and finds it in the line.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.running < count {
                        state.begin(caller)
                        return .success(())
                    }
                    state.waiting.append(Waiter(number: number, caller: caller, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiting.firstIndex(where: { $0.number == number }) else { return nil }
                return state.waiting.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func end(_ caller: Caller.Key) {
        let next = state.withLock { state -> Waiter? in
            state.end(caller)
            guard let next = state.takeNext() else { return nil }
            state.begin(next.caller)
            return next
        }
        next?.continuation.resume()
    }
}
