import Messages
import RPC
import Vision

/// What a batch runs through: one model, or one of each stage; and whether whole pictures are classified, or boxes on them.
struct ModelLane: Sendable, Hashable {
    /// Indices of models.
    var detector: Int?
    var classifier: Int?
    var ofBoxes = false

    var models: [Int] { [detector, classifier].compactMap { $0 } }
}

/// The lanes of a node's queue: each of its models, and where it runs both stages in one, each pair of them; where it classifies,
/// one for whole pictures and one for boxes. Requests of one lane run together, and take about as long as each other.
struct ModelLanes: Sendable {
    let all: [ModelLane]
    private let models: [ModelManifest]
    /// Of each model, by task.
    private let indices: [ModelManifest.Task: [Int]]

    init(_ models: [ModelManifest], of role: NodeRole) {
        self.models = models
        let indices = Dictionary(grouping: models.indices) { models[$0].task }
        let (detectors, classifiers) = (indices[.detection] ?? [], indices[.classification] ?? [])
        func lanes(_ detector: Int?) -> [ModelLane] {
            classifiers.flatMap { classifier in
                [false, true].map { ModelLane(detector: detector, classifier: classifier, ofBoxes: $0) }
            }
        }
        all =
            detectors.map { ModelLane(detector: $0) } + lanes(nil) + (role == .node ? detectors.flatMap(lanes) : [])
        self.indices = indices
    }

    /// For each lane, which of those it is that have the same models.
    var groups: [Int] { all.map { lane in all.firstIndex { $0.models == lane.models } ?? 0 } }

    /// - Parameters:
    ///   - detector: name of the model; empty: the first one; nil: the request does not detect.
    ///   - classifier: the same.
    ///   - ofBoxes: what is classified are boxes.
    /// - Throws: NOT_FOUND, naming what there is.
    func index(detector: String?, classifier: String?, ofBoxes: Bool = false) throws(RPCError) -> Int {
        var lane = ModelLane(ofBoxes: ofBoxes)
        if let detector { lane.detector = try model(detector, .detection) }
        if let classifier { lane.classifier = try model(classifier, .classification) }
        guard let index = all.firstIndex(of: lane) else {
            throw RPCError(.unimplemented, "this node does not run both stages in one")
        }
        return index
    }

    /// So that no answer has more classes than a client reads.
    /// - Parameters:
    ///   - topK: of each input; 0: the model's own.
    ///   - boxes: as many as may be classified; 0: the whole picture is.
    ///   - index: of the lane.
    /// - Throws: INVALID_ARGUMENT.
    func checkClasses(topK: Int, boxes: Int, lane index: Int) throws(RPCError) {
        guard let classifier = all[index].classifier else { return }
        let classes = models[classifier].classes(topK: topK)
        guard max(1, boxes) * classes > Classification.maxPerAnswer else { return }
        throw RPCError(
            .invalidArgument,
            "\(classes) classes of \(boxes == 0 ? "one picture" : "each of \(boxes) boxes") exceed the limit of "
                + "\(Classification.maxPerAnswer) in one answer")
    }

    private func model(_ name: String, _ task: ModelManifest.Task) throws(RPCError) -> Int {
        let own = indices[task] ?? []
        if name.isEmpty, let first = own.first { return first }
        guard let index = own.first(where: { models[$0].name == name }) else {
            let known = own.map { models[$0].name }.joined(separator: ", ")
            throw RPCError(.notFound, "no model \"\(name.printable)\" here; there is \(known)")
        }
        return index
    }
}

extension String {
    /// Outside text for a message of one line.
    var printable: String {
        let shown = unicodeScalars.prefix(64).map { $0.properties.generalCategory == .control ? "?" : Character($0) }
        return String(shown)
    }
}
