internal import Messages

/// What a track is called: each sighting votes with its confidence, and older votes fade.
struct LabelVote: Sendable {
    /// Names remembered for one track; beyond it the weakest is forgotten.
    static let maximumNames = 8
    /// What is left of a vote after one more sighting.
    static let fading = 0.98

    private var weights: [(classID: Int, label: String, weight: Double)] = []

    mutating func add(classID: Int, label: String, confidence: Float) {
        guard confidence.isFinite, confidence > 0 else { return }
        for index in weights.indices { weights[index].weight *= Self.fading }
        add(classID, label, Double(confidence))
    }

    /// The votes of one object under two ids.
    mutating func unite(_ other: LabelVote) {
        for entry in other.weights { add(entry.classID, entry.label, entry.weight) }
    }

    private mutating func add(_ classID: Int, _ label: String, _ weight: Double) {
        if let index = weights.firstIndex(where: { $0.classID == classID && $0.label == label }) {
            weights[index].weight += weight
        } else {
            if weights.count == Self.maximumNames,
                let weakest = weights.indices.min(by: { weights[$0].weight < weights[$1].weight })
            {
                weights.remove(at: weakest)
            }
            weights.append((classID, label, weight))
        }
    }

    /// The name with the most votes, and its share of all, 0…1.
    var winner: Classification? {
        // The earliest name wins a tie, so the answer is the same in every run.
        var best: (classID: Int, label: String, weight: Double)?
        var total = 0.0
        for entry in weights {
            total += entry.weight
            if entry.weight > (best?.weight ?? 0) { best = entry }
        }
        return best.map {
            Classification(classID: $0.classID, label: $0.label, confidence: Float($0.weight / total))
        }
    }
}
