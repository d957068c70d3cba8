import Foundation
import NIOPosix
import Synchronization

/// A bearer token in a file, which may be exchanged at any time.
public final class TokenFile: Sendable {
    /// How old what was read may be.
    public static let readInterval: Duration = .seconds(5)

    private let path: String
    private let state: Mutex<State>

    private struct State {
        var token: String
        var readAt: ContinuousClock.Instant
        /// Somebody reads it, and may wait for a disk: nobody else does.
        var isReading = false
    }

    /// - Throws: `RPCError` FAILED_PRECONDITION that names the file and what is wrong with it; never what is written there.
    public init(_ path: String) throws(RPCError) {
        self.path = path
        state = Mutex(State(token: try Self.read(path), readAt: .now))
    }

    /// As it is now; while the file cannot be used, as it was. The file is read on a thread that may wait for a disk, for the
    /// first who asks when it is time; whoever asks meanwhile has the token before.
    public var token: String { get async { await token(at: .now) } }

    func token(at now: ContinuousClock.Instant) async -> String {
        let (held, isDue) = state.withLock { state in
            let isDue = !state.isReading && now - state.readAt >= Self.readInterval
            if isDue { state.isReading = true }
            return (state.token, isDue)
        }
        guard isDue else { return held }
        let read = try? await NIOThreadPool.singleton.runIfActive { [path] in try Self.read(path) }
        return state.withLock { state in
            state.isReading = false
            state.readAt = now
            if let read { state.token = read }
            return state.token
        }
    }

    private static func read(_ path: String) throws(RPCError) -> String {
        let token = try SmallFile.text(path).trimmingCharacters(in: .whitespacesAndNewlines)
        let most = CredentialLimits.ofProcess.maxTokenBytes
        guard (1...most).contains(token.utf8.count),
            token.utf8.allSatisfy({ (33...126).contains($0) })
        else {
            throw RPCError(
                .failedPrecondition,
                "'\(path)' holds no token: one line of 1 to \(most) printable ASCII characters"
            ).withheld
        }
        return token
    }
}

extension BearerTokenInterceptor {
    public init(allowsPlaintext: Bool = false, file: TokenFile) {
        self.init(allowsPlaintext: allowsPlaintext) { await file.token }
    }
}
