import Logging
import Messages
import RPC
import Services

/// Says which frames of streams have failed and why: of each cause so many lines in a second, as frames come in numbers. Of
/// frames that came alone the log of calls says it.
struct FrameLog: Sendable {
    let logger: Logger
    private let lines = LineGates()

    init(logger: Logger) { self.logger = logger }

    /// - Parameter isPartial: there is an answer, without a stage.
    func note(_ error: RPCError, of frame: Frame, _ isPartial: Bool) {
        guard logger.logLevel <= .notice, let skipped = lines.pass("\(error.code) \(isPartial)") else { return }
        var fields: Logger.Metadata = ["code": "\(error.code)", "reason": "\(PeerText.escaped(error.description))"]
        for (key, value) in frame.subject { fields[key] = "\(PeerText.escaped(value))" }
        if let node = error.endpoint { fields["node"] = "\(node)" }
        if skipped > 0 { fields["skipped"] = "\(skipped)" }
        logger.notice(isPartial ? "frame is partial" : "frame failed", metadata: fields)
    }
}
