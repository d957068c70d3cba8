import Messages

/// What is done with a frame: data, not code.
public struct Pipeline: Sendable, Hashable {
    /// What a classify stage looks at.
    public enum Input: Sendable, Hashable {
        case frame
        /// The boxes that the detect stage found, most confident first.
        case boxes(limit: Int)

        /// Pictures, or parts of one, that are looked at.
        var count: Int {
            switch self {
            case .frame: 1
            case .boxes(let limit): max(1, limit)
            }
        }
    }

    public enum Stage: Sendable, Hashable {
        case detect
        case classify(Input, topK: Int)
        /// Gives lasting ids to the objects of a stream.
        case track

        public var name: String {
            switch self {
            case .detect: "detect"
            case .classify: "classify"
            case .track: "track"
            }
        }
    }

    public var name: String
    public var stages: [Stage]
    /// Stages without which a frame fails; when another is missing, the answer is `partial`.
    public var required: Set<String>
    public var text: String

    public init(name: String, stages: [Stage], required: Set<String>, text: String) {
        self.name = name
        self.stages = stages
        self.required = required
        self.text = text
    }

    public var detects: Bool { stages.contains(.detect) }
    public var tracks: Bool { stages.contains(.track) }
    public var classify: (input: Input, topK: Int)? {
        for case .classify(let input, let topK) in stages { return (input, topK) }
        return nil
    }

    /// What clients are told of it.
    func description(_ configuration: CoordinatorConfiguration) -> PipelineDescription {
        var description = PipelineDescription(
            name: name, stages: stages.map(\.name), needsStream: tracks, text: text)
        description.required = stages.map(\.name).filter(required.contains)
        if detects { description.detectModel = configuration.detectModel }
        if let classify {
            description.classifyModel = configuration.classifyModel
            description.topK = classify.topK
            if case .boxes(let limit) = classify.input { description.boxes = limit }
        }
        description.unoffered = description.stages.filter(configuration.lacksNodes(for:))
        return description
    }
}

extension Pipeline {
    /// Boxes of one frame that a cascade classifies.
    static let maxCascadeBoxes = 64

    public static let builtIn: [Pipeline] = [
        Pipeline(
            name: "detect", stages: [.detect], required: ["detect"], text: "boxes of objects"),
        Pipeline(
            name: "classify", stages: [.classify(.frame, topK: 5)], required: ["classify"],
            text: "classes of the whole frame"),
        Pipeline(
            name: "detect+classify", stages: [.detect, .classify(.frame, topK: 5)], required: [],
            text: "boxes of objects, and classes of the whole frame, in parallel"),
        Pipeline(
            name: "cascade", stages: [.detect, .classify(.boxes(limit: maxCascadeBoxes), topK: 3)],
            required: ["detect"], text: "boxes of objects, then the classes of each box"),
        Pipeline(
            name: "track", stages: [.detect, .track], required: ["detect"],
            text: "boxes of objects with ids that last through a stream"),
        Pipeline(
            name: "cascade+track",
            stages: [.detect, .classify(.boxes(limit: maxCascadeBoxes), topK: 3), .track], required: ["detect"],
            text: "boxes, the classes of each, and ids that last through a stream"),
    ]
}
