import Logging
import Messages
import RPC
import Synchronization

/// Answers of the mesh as users may see them: whatever leaves the gateway, or is stored for its users, has come through
/// here. The mesh's own words go to the log, those of a code at most once a second: frames come in numbers.
final class PlainReasons: Sendable {
    private static let pause: Duration = .seconds(1)
    /// Codes that gRPC knows; others, which a peer may make up, count as one.
    private static let codes = 0...16

    private let logger: Logger
    private let logged = Mutex<[Int: ContinuousClock.Instant]>([:])

    init(_ logger: Logger) { self.logger = logger }

    func plain(_ response: AnalyzeResponse) -> AnalyzeResponse {
        var plain = response
        guard response.status != .ok else {
            plain.cause = ""
            return plain
        }
        let code = StatusCode(rawValue: response.code)
        // One that is dropped says nothing of nodes, and is no trouble.
        if code != .aborted { note(code, response.cause) }
        let words = MeshReason.words(code, response.cause, without: response.missing)
        plain.cause =
            response.missing.isEmpty || response.status != .partial
            ? words : "without \(response.missing.joined(separator: " and ")): \(words)"
        return plain
    }

    /// Writes into the log what the mesh said.
    func note(_ code: StatusCode, _ message: String, at now: ContinuousClock.Instant = .now) {
        let key = Self.codes.contains(code.rawValue) ? code.rawValue : -1
        let isDue = logged.withLock { logged in
            if let last = logged[key], now - last < Self.pause { return false }
            logged[key] = now
            return true
        }
        guard isDue else { return }
        logger.notice("the mesh did not do it all", metadata: ["code": "\(code)", "reason": "\(message)"])
    }
}
