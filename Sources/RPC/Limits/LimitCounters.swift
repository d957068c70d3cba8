import HTTP2
import Logging
import Metrics
import NIOCore
import Synchronization

/// Counts what peers were refused or cut off for, by reason: `rpc_limit_total{side, reason}`.
///
/// One per server, and one for all client connections of the process. Each reason also has a line in the log, at most
/// `linesPerSecond` of them. Counting costs nothing on the path of a call that goes well.
final class LimitCounters: Sendable {
    static let label = "rpc_limit_total"
    static let linesPerSecond = 10
    /// Of all connections that this process opens.
    static let client = LimitCounters(side: "client")

    private let connection: [ConnectionLimit: Counter]
    private let call: [CallLimit: Counter]
    private let lines = Mutex<[String: LineGate]>([:])

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
        let now = NIODeadline.now().uptimeNanoseconds
        guard let skipped = lines.withLock({ $0[reason, default: LineGate()].pass(at: now) }) else { return }
        var metadata: Logger.Metadata = [
            "reason": "\(reason)", "peer": "\(peer)", "detail": "\(PeerText.escaped(detail()))",
        ]
        if skipped > 0 { metadata["skipped"] = "\(skipped)" }
        logger.info("peer went beyond a limit", metadata: metadata)
    }
}

/// Lets so many lines of one kind through in a second, and counts the others.
struct LineGate {
    private var second: UInt64 = 0
    private var passed = 0
    private var skipped = 0

    /// - Parameter now: nanoseconds of a monotonic clock.
    /// - Returns: how many were held back before this one; nil: this one is.
    mutating func pass(at now: UInt64) -> Int? {
        let current = now / 1_000_000_000
        if current != second { (second, passed) = (current, 0) }
        guard passed < LimitCounters.linesPerSecond else {
            skipped += 1
            return nil
        }
        passed += 1
        defer { skipped = 0 }
        return skipped
    }
}
