import Messages
import Results

extension NodeState {
    static func table(_ nodes: [NodeState]) -> Table {
        var table = Table(
            "role", "address", "state", "zone", "models", "engine", "version", "workers>", "queue>", "in flight>",
            "latency ms>",
            "p99 ms>", "calls>", "failures>", "ejections>", "reason")
        for node in nodes {
            let own = node.description
            table.add(
                node.role, node.address, node.state, own?.zone ?? "",
                own?.models.map(\.name).joined(separator: ", ") ?? "", own?.engine ?? "", own?.build ?? "",
                own.map { "\($0.workers)" } ?? "", own.map { "\($0.queueDepth)/\($0.queueLimit)" } ?? "",
                own.map { "\($0.inFlight)" } ?? "\(node.outstanding)", milliseconds(node.ewma),
                node.p99 == 0 ? "" : milliseconds(node.p99), "\(node.calls)", "\(node.failures)", "\(node.ejections)",
                node.reason)
        }
        return table
    }

    private static func milliseconds(_ microseconds: UInt64) -> String {
        JSONText.number(Double(microseconds) / 1000, decimals: 1)
    }
}
