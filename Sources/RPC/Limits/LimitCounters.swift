import HTTP2
import Logging
import Metrics

/// Counts what peers were refused or cut off for, by reason: `rpc_limit_total{side, reason}`.
///
/// One per server, and one for all client connections of the process. Each reason also has a line in the log, at most
/// `LineGate.linesPerSecond` of them. Counting costs nothing on the path of a call that goes well.
final class LimitCounters: Sendable {
    static let label = "rpc_limit_total"
    /// Of all connections that this process opens.
    static let client = LimitCounters(side: "client")

    private let connection: [ConnectionLimit: Counter]
    private let call: [CallLimit: Counter]
    private let lines = LineGates()

    init(side: String, factory: any MetricsFactory = MetricsSystem.factory) {
        func counter(_ reason: String) -> Counter {
            Counter(label: Self.label, dimensions: [("side", side), ("reason", reason)], factory: factory)
        }
        connection = .init(uniqueKeysWithValues: ConnectionLimit.allCases.map { ($0, counter($0.rawValue)) })
        call = .init(uniqueKeysWithValues: CallLimit.allCases.map { ($0, counter($0.rawValue)) })
    }

    /// - Parameter detail: for the log; bytes of the peer are escaped here.
    func count(_ limit: ConnectionLimit, peer: String, _ detail: @autoclosure () -> String, _ logger: Logger?) {
        connection[limit]?.increment()
        log(limit.rawValue, peer, detail, logger)
    }

    func count(_ limit: CallLimit, peer: String, _ detail: @autoclosure () -> String, _ logger: Logger?) {
        call[limit]?.increment()
        log(limit.rawValue, peer, detail, logger)
    }

    private func log(_ reason: String, _ peer: String, _ detail: () -> String, _ logger: Logger?) {
        guard let logger, logger.logLevel <= .info else { return }
        guard let skipped = lines.pass(reason) else { return }
        var metadata: Logger.Metadata = [
            "reason": "\(reason)", "peer": "\(peer)", "detail": "\(PeerText.escaped(detail()))",
        ]
        if skipped > 0 { metadata["skipped"] = "\(skipped)" }
        logger.info("peer went beyond a limit", metadata: metadata)
    }
}

extension RPCError {
    /// For an answer that is no such message, where it is read; counted as what goes beyond a limit on the wire is. It has no
    /// `limit`: a handler that throws it on would have it counted again, against its own client.
    /// - Parameter peer: who has answered.
    package static func unreadableAnswer(_ message: String, of peer: String) -> RPCError {
        LimitCounters.client.count(.protobuf, peer: peer, message, nil)
        return RPCError(.internal, message)
    }
}
