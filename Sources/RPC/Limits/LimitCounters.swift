import HTTP2
package import Logging
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
        log(limit.rawValue, peer, nil, detail, logger)
    }

    /// - Parameter method: by its path, where the log is to name it.
    func count(
        _ limit: CallLimit, peer: String, method: String? = nil, _ detail: @autoclosure () -> String, _ logger: Logger?
    ) {
        call[limit]?.increment()
        log(limit.rawValue, peer, method, detail, logger)
    }

    private func log(_ reason: String, _ peer: String, _ method: String?, _ detail: () -> String, _ logger: Logger?) {
        guard let logger, logger.logLevel <= .info else { return }
        guard let skipped = lines.pass(reason) else { return }
        var metadata: Logger.Metadata = [
            "reason": "\(reason)", "peer": "\(peer)", "detail": "\(PeerText.escaped(detail()))",
        ]
        if let method { metadata["method"] = "\(method.drop(while: { $0 == "/" }))" }
        if skipped > 0 { metadata["skipped"] = "\(skipped)" }
        logger.info("peer went beyond a limit", metadata: metadata)
    }
}

extension RPCError {
    /// For an answer that is no such message, where it is read; counted as what goes beyond a limit on the wire is. It has no
    /// `limit`: a handler that throws it on would have it counted again, against its own client.
    /// - Parameters:
    ///   - path: of the method that was called.
    ///   - peer: who has answered.
    ///   - logger: gets a line, as of other limits; nil: whoever called says it.
    package static func unreadableAnswer(
        _ message: String, to path: String, of peer: String, _ logger: Logger?
    ) -> RPCError {
        LimitCounters.client.count(.protobuf, peer: peer, method: path, message, logger)
        return RPCError(.internal, message)
    }
}
