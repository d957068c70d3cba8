package import RPC

extension TraceContext {
    /// What a caller says; nil: nothing that makes sense.
    package init?(in metadata: Metadata) {
        guard !metadata.isEmpty else { return nil }
        var parents: [String] = []
        var states: [String] = []
        for (key, value) in metadata {
            guard case .ascii(let text) = value else { continue }
            switch key {
            case Self.parentField: parents.append(text)
            case Self.stateField: states.append(text)
            default: break
            }
        }
        self.init(parents: parents, states: states)
    }

    /// Tells the next one.
    func add(to metadata: inout Metadata) {
        metadata.add(Self.parentField, parent)
        if !state.text.isEmpty { metadata.add(Self.stateField, state.text) }
    }
}
