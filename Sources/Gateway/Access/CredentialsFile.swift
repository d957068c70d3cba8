package import Logging
package import RPC
import Synchronization

/// A file of credentials that may be exchanged at any time.
package final class CredentialsFile: Sendable {
    /// How old what was read may be.
    static let readInterval: Duration = .seconds(5)

    private struct State {
        var credentials: Credentials
        var readAt: ContinuousClock.Instant
        /// Somebody reads it, and may wait for a disk: nobody else does.
        var isReading = false
        /// What is wrong with the file; nil: nothing.
        var trouble: String?
    }

    private let path: String
    private let logger: Logger
    private let state: Mutex<State>

    /// Warns if others than its owner may read or write it. Blocks.
    /// - Throws: `RPCError` that names the file and what is wrong with it.
    package init(_ path: String, logger: Logger) throws(RPCError) {
        self.path = path
        self.logger = logger
        state = Mutex(State(credentials: try Credentials(contentsOf: path, logger: logger), readAt: .now))
    }

    /// As they were read last.
    package var held: Credentials { state.withLock { $0.credentials } }

    /// Those of the file as it is now; while it cannot be used, as it was, which is logged once. The file is read on a thread
    /// that may wait for a disk, for the first who asks when it is time; whoever asks meanwhile has those before.
    package func current(at now: ContinuousClock.Instant = .now) async -> Credentials {
        let (held, isDue) = state.withLock { state in
            let isDue = !state.isReading && now - state.readAt >= Self.readInterval
            if isDue { state.isReading = true }
            return (state.credentials, isDue)
        }
        guard isDue else { return held }
        return await BlockingCall.run { self.readAgain(at: now) }
    }

    private func readAgain(at now: ContinuousClock.Instant) -> Credentials {
        let read = Result { () throws(RPCError) in try Credentials(contentsOf: path, logger: Self.silent) }
        return state.withLock { state in
            state.isReading = false
            state.readAt = now
            switch read {
            case .success(let credentials):
                state.credentials = credentials
                state.trouble = nil
            case .failure(let error):
                if state.trouble != error.message {
                    logger.error(
                        "the file of tokens cannot be used, those before it stay",
                        metadata: ["reason": "\(error.message)"])
                }
                state.trouble = error.message
            }
            return state.credentials
        }
    }

    /// It was said at the start who may read the file.
    private static let silent = Logger(label: "framemesh") { _ in SwiftLogNoOpLogHandler() }
}
