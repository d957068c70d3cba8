package import NIOSSL
import Synchronization

/// The TLS context made of files as they are now; while they cannot be used, the last good one.
package final class TLSContextStore: Sendable {
    enum Change: Sendable {
        case none
        case renewed
        /// They cannot be used, for the first time in this way.
        case refused(RPCError)
        /// As before.
        case stillRefused(RPCError)
    }

    let settings: TLSSettings
    private let state: Mutex<State>

    private struct State {
        var texts: [[UInt8]]
        var context: NIOSSLContext
        var trouble: String?
    }

    /// Blocks.
    init(_ settings: TLSSettings) throws(RPCError) {
        self.settings = settings
        let texts = try settings.read()
        state = Mutex(State(texts: texts, context: try settings.context(texts)))
    }

    /// For new connections.
    package var context: NIOSSLContext { state.withLock { $0.context } }

    /// Whether anything can change.
    var hasFiles: Bool { settings.sources.contains(where: \.isFile) }

    /// Looks at the files: their contents are compared, so it does not matter how they were exchanged. Blocks.
    func refresh() -> Change {
        guard hasFiles else { return .none }
        do throws(RPCError) {
            let texts = try settings.read()
            if isCurrent(texts) { return .none }
            let context = try settings.context(texts)
            state.withLock { $0 = State(texts: texts, context: context) }
            return .renewed
        } catch {
            return note(error)
        }
    }

    private func isCurrent(_ texts: [[UInt8]]) -> Bool {
        state.withLock { state in
            guard state.texts == texts else { return false }
            state.trouble = nil
            return true
        }
    }

    private func note(_ error: RPCError) -> Change {
        state.withLock { state in
            defer { state.trouble = error.message }
            return state.trouble == error.message ? .stillRefused(error) : .refused(error)
        }
    }
}
