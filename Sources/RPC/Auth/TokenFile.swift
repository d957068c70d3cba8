import Foundation
import Synchronization

/// A bearer token in a file, which may be exchanged at any time.
public final class TokenFile: Sendable {
    /// How old what was read may be.
    public static let readInterval: Duration = .seconds(5)

    private let path: String
    private let state: Mutex<(token: String, readAt: ContinuousClock.Instant)>

    /// - Throws: `RPCError` FAILED_PRECONDITION that names the file and what is wrong with it; never what is written there.
    public init(_ path: String) throws(RPCError) {
        self.path = path
        state = Mutex((try Self.read(path), .now))
    }

    /// As it is now; while the file cannot be used, as it was. Blocks for as long as it takes to read a small file.
    public var token: String { token(at: .now) }

    func token(at now: ContinuousClock.Instant) -> String {
        state.withLock { state in
            if now - state.readAt >= Self.readInterval {
                state.readAt = now
                if let token = try? Self.read(path) { state.token = token }
            }
            return state.token
        }
    }

    private static func read(_ path: String) throws(RPCError) -> String {
        let token = try SmallFile.text(path).trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...AuthInterceptor.maxTokenBytes).contains(token.utf8.count),
            token.utf8.allSatisfy({ (33...126).contains($0) })
        else {
            throw RPCError(
                .failedPrecondition,
                "'\(path)' holds no token: one line of 1 to \(AuthInterceptor.maxTokenBytes) printable ASCII characters"
            ).withheld
        }
        return token
    }
}

extension BearerTokenInterceptor {
    public init(allowsPlaintext: Bool = false, file: TokenFile) {
        self.init(allowsPlaintext: allowsPlaintext) { file.token }
    }
}
