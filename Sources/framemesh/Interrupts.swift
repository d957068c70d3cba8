import Foundation
import Synchronization
import UnixSignals

/// Ctrl-C, SIGTERM and a terminal that goes away as cancellation of the work in hand.
enum Interrupts {
    /// Runs `body`, and cancels it on the first SIGINT, SIGTERM, or SIGHUP that is not ignored (`nohup`). A second signal ends
    /// the process at once (`SeenSignals`); children of ours end then too, because their standard input closes.
    ///
    /// - Returns: what `body` returns, also when it was cancelled.
    /// - Throws: `Fatal` with 128 and the signal's number when `body` throws after a signal.
    static func run<Value: Sendable>(_ body: @Sendable @escaping () async throws -> Value) async throws -> Value {
        let signals =
            ignoresHangUp
            ? await UnixSignalsSequence(trapping: .sigint, .sigterm)
            : await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let seen = Mutex(SeenSignals())
        // Both tasks belong to this call: neither outlives it.
        let work = Task { try await body() }
        let watch = Task {
            for await signal in signals {
                switch seen.withLock({ $0.saw(signal, at: .now) }) {
                case .end: work.cancel()
                case .echo: break
                case .endAtOnce: _exit(ExitStatus.interrupted(by: signal.rawValue).rawValue)
                }
            }
        }
        defer { watch.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await work.value
            } onCancel: {
                work.cancel()
            }
        } catch {
            guard let signal = seen.withLock({ $0.first }) else { throw error }
            throw Fatal("interrupted", status: .interrupted(by: signal.rawValue))
        }
    }

    /// As whoever started us wanted it.
    private static let ignoresHangUp: Bool = {
        var action = sigaction()
        guard unsafe sigaction(SIGHUP, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }()

    /// Suspends until the task is cancelled.
    static func wait() async {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
    }
}
