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

    /// Those of the file as it is now; while it cannot be used, as it was, which is logged once. Blocks for as long as it
    /// takes to read a small file.
    package var current: Credentials { current(at: .now) }

    func current(at now: ContinuousClock.Instant) -> Credentials {
        state.withLock { state in
            guard now - state.readAt >= Self.readInterval else { return state.credentials }
            state.readAt = now
            do throws(RPCError) {
                state.credentials = try Credentials(contentsOf: path, logger: Self.silent)
                state.trouble = nil
            } catch {
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
