import Messages
import Results

/// A model, and the nodes that have it.
struct ServedModel: Sendable, Hashable {
    var description: ModelDescription
    var role: String
    var nodes = 1
    var readyNodes: Int

    /// Each model of each role once, in the order of the nodes. Two versions of one name are two models.
    static func list(_ nodes: [NodeState]) -> [ServedModel] {
        var models: [ServedModel] = []
        for node in nodes {
            let ready = node.isReady ? 1 : 0
            for description in node.description?.models ?? [] {
                if let place = models.firstIndex(where: { $0.description == description && $0.role == node.role }) {
                    models[place].nodes += 1
                    models[place].readyNodes += ready
                } else {
                    models.append(ServedModel(description: description, role: node.role, readyNodes: ready))
                }
            }
        }
        return models
    }
}

extension JSONText {
    mutating func add(_ model: ServedModel) {
        object { json in
            json.add(fieldsOf: model.description)
            json.field("role", model.role)
            json.field("nodes", model.nodes)
            json.field("ready_nodes", model.readyNodes)
        }
    }
}
