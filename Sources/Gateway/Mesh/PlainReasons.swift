import Logging
import Messages
import NIOCore
import RPC

/// Answers of the mesh as users may see them: whatever leaves the gateway, or is stored for its users, has come through
/// here. The mesh's own words go to the log, so many lines of a code in a second: frames come in numbers.
final class PlainReasons: Sendable {
    private let logger: Logger
    private let lines = LineGates()

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
    func note(_ code: StatusCode, _ message: String, at now: NIODeadline = .now()) {
        guard let skipped = lines.pass(code, at: now) else { return }
        var fields: Logger.Metadata = ["code": "\(code)", "reason": "\(PeerText.escaped(message))"]
        if skipped > 0 { fields["skipped"] = "\(skipped)" }
        logger.notice("the mesh did not do it all", metadata: fields)
    }
}
