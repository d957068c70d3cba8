import Messages

extension NodeState {
    static func table(_ nodes: [NodeState]) -> Table {
        var table = Table(
            "role", "address", "state", "zone", "models", "version", "workers>", "queue>", "in flight>", "latency ms>",
            "p99 ms>", "calls>", "failures>", "ejections>", "reason")
        for node in nodes {
            let own = node.description
            table.add(
                node.role, node.address, node.state, own?.zone ?? "",
                own?.models.map(\.name).joined(separator: ", ") ?? "", own?.build ?? "",
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

    /// One line of `nodes --json`.
    var line: String {
        JSONText.object { json in
            json.field("role", role)
            json.field("address", address)
            json.field("state", state)
            json.field("reason", reason)
            json.field("outstanding", outstanding)
            json.field("latency_ms", Double(ewma) / 1000, decimals: 3)
            json.field("p99_ms", Double(p99) / 1000, decimals: 3)
            json.field("calls", calls)
            json.field("failures", failures)
            json.field("ejections", ejections)
            guard let description else { return }
            json.field("zone", description.zone)
            json.array("models", description.models) { json, model in
                json.object { json in
                    json.field("name", model.name)
                    json.field("task", model.task)
                    json.field("version", model.version)
                    json.field("input_width", model.inputWidth)
                    json.field("input_height", model.inputHeight)
                    json.field("max_batch_size", model.maxBatchSize)
                }
            }
            json.field("workers", description.workers)
            json.field("queue_depth", description.queueDepth)
            json.field("queue_limit", description.queueLimit)
            json.field("in_flight", description.inFlight)
            json.field("estimated_wait_ms", Double(description.estimatedWait) / 1000, decimals: 3)
            json.field("accepted", description.accepted)
            json.field("completed", description.completed)
            json.field("refused", description.refused)
            json.field("expired", description.expired)
            json.field("build", description.build)
        }
    }
}
