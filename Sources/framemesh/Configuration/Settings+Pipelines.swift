import Coordination
import Messages

extension Settings {
    static let maxTopK = 1000
    static let maxBoxes = 1000

    /// The built-in pipelines and those of the file; one of the file wins over a built-in one of its name.
    func pipelines() throws(Fatal) -> [Pipeline] {
        var own: [Pipeline] = []
        for name in file?.pipelines ?? [] { own.append(try pipeline(named: name)) }
        let names = Set(own.map(\.name))
        return Pipeline.builtIn.filter { !names.contains($0.name) } + own
    }

    private func pipeline(named name: String) throws(Fatal) -> Pipeline {
        func place(_ key: PipelineKey) -> [String] { [Self.pipelineSection, name, key.rawValue] }
        func wrong(_ what: String) -> Fatal {
            Fatal("\(origin(of: "\(Self.pipelineSection).\(name)")): the pipeline '\(name)' \(what)", status: .usage)
        }
        func number(_ key: PipelineKey, default standard: Int, limit: Int) throws(Fatal) -> Int {
            guard let text = string(at: place(key)) else { return standard }
            guard let number = Int(text), (1...limit).contains(number) else {
                throw wrong("has \(key.rawValue) '\(text)', it must be 1 to \(limit)")
            }
            return number
        }
        let names = list(at: place(.stages)) ?? []
        let topK = try number(.topK, default: 5, limit: Self.maxTopK)
        let boxes = try number(.boxes, default: 64, limit: Self.maxBoxes)
        // What makes a cascade; without it both stages look at the whole frame.
        let hasBoxes = string(at: place(.boxes)) != nil
        var isCascade = false
        var stages: [Pipeline.Stage] = []
        for stage in names {
            switch stage {
            case "detect": stages.append(.detect)
            case "classify":
                isCascade = hasBoxes && stages.contains(.detect)
                stages.append(.classify(isCascade ? .boxes(limit: boxes) : .frame, topK: topK))
            case "track": stages.append(.track)
            default: throw wrong("has an unknown stage '\(stage)'; there are detect, classify and track")
            }
        }
        guard !stages.isEmpty else { throw wrong("has no stages") }
        guard Set(names).count == names.count else { throw wrong("has a stage twice") }
        guard !stages.contains(.track) || stages.contains(.detect) else { throw wrong("tracks without detect") }
        if hasBoxes, !isCascade { throw wrong("has boxes, but no classify after a detect") }
        guard !isCascade || boxes * topK <= Classification.maxPerAnswer else {
            throw wrong(
                "has \(boxes) boxes with \(topK) classes each; an answer has at most \(Classification.maxPerAnswer)")
        }
        let required = list(at: place(.required)) ?? names.filter { $0 != "track" }
        if let unknown = required.first(where: { !names.contains($0) }) {
            throw wrong("requires '\(unknown)', which is none of its stages")
        }
        return Pipeline(
            name: name, stages: stages, required: Set(required),
            text: string(at: place(.text)) ?? "of the configuration")
    }
}
