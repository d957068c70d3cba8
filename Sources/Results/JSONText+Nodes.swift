package import Messages

extension JSONText {
    package mutating func add(_ node: NodeState) { object { node.fields(&$0) } }

    /// A model as nodes describe it; the fields of an object that is open.
    package mutating func add(fieldsOf model: ModelDescription) {
        field("name", model.name)
        field("task", model.task)
        field("version", model.version)
        field("input_width", model.inputWidth)
        field("input_height", model.inputHeight)
        field("max_batch_size", model.maxBatchSize)
    }
}

extension NodeState {
    /// One line of `nodes --json`.
    package var line: String { JSONText.object { fields(&$0) } }

    fileprivate func fields(_ json: inout JSONText) {
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
        json.array("models", description.models) { json, model in json.object { $0.add(fieldsOf: model) } }
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
        json.field("engine", description.engine)
    }
}
