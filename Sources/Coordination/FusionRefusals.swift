import Logging
import NIOCore
import RPC
import Synchronization

/// That nodes have refused calls with both stages, for example because they are of an older version. Each such frame would
/// cost a call for nothing, so for a while none is asked.
final class FusionRefusals: Sendable {
    private let length: TimeAmount
    private let logger: Logger?
    private let until = Mutex(NIODeadline.uptimeNanoseconds(0))

    /// - Parameters:
    ///   - length: of a while.
    ///   - logger: nil: it is not said.
    init(length: Duration = .seconds(5), logger: Logger? = nil) {
        self.length = TimeAmount(length)
        self.logger = logger
    }

    func hold(at now: NIODeadline) -> Bool { until.withLock { now < $0 } }

    func note(_ error: RPCError, at now: NIODeadline) {
        let isNews = until.withLock { until in
            defer { until = now + length }
            return until <= now
        }
        guard isNews else { return }
        var fields: Logger.Metadata = [
            "reason": "\(PeerText.escaped(error.description))", "for": "\(length.inSeconds)",
        ]
        if let node = error.endpoint { fields["node"] = "\(node)" }
        logger?.notice("a node does not take both stages in one call; they go apart", metadata: fields)
    }
}

extension TimeAmount {
    fileprivate var inSeconds: String { "\(Double(nanoseconds) / 1e9) s" }
}
