import Foundation
import Messages
import Testing

@testable import Results

@Suite struct PipelineLineTests {
    private static func node(_ role: String, _ state: String, models: String...) -> NodeState {
        var node = NodeState()
        node.role = role
        node.state = state
        node.description = NodeDescription()
        node.description?.models = models.map {
            var model = ModelDescription()
            model.name = $0
            return model
        }
        return node
    }

    private static func pipeline(_ stages: [String], required: [String]) -> PipelineDescription {
        var pipeline = PipelineDescription(name: "p", stages: stages, needsStream: false, text: "t")
        pipeline.required = required
        return pipeline
    }

    private static let detector = node("detector", "ready", models: "yolo", "other")
    private static let classifier = node("classifier", "ready", models: "squeeze")
    private static let cascade = pipeline(["detect", "classify", "track"], required: ["detect"])

    @Test func nodesThatAreNotReadyAreKnownForTheirStages() {
        let gone = Self.node("detector", "connecting")
        #expect(PipelineLine.isKnown("detect", of: [gone]) && !PipelineLine.isKnown("classify", of: [gone]))
        let both = Self.node("node", "connecting")
        #expect(["detect", "classify"].allSatisfy { PipelineLine.isKnown($0, of: [both]) })
        #expect(!PipelineLine.isKnown("detect", of: []) && !PipelineLine.isKnown("else", of: [both]))
    }

    @Test func whatNodesAreThereDecidesWhatBecomesOfAFrame() {
        func now(_ pipeline: PipelineDescription, _ nodes: NodeState...) -> PipelineLine.Now {
            PipelineLine(pipeline, nodes).now
        }
        #expect(now(Self.cascade, Self.detector, Self.classifier) == .ready)
        #expect(now(Self.cascade, Self.detector) == .partial)
        #expect(now(Self.cascade, Self.classifier) == .fails)
        #expect(now(Self.cascade, Self.node("detector", "connecting"), Self.classifier) == .fails)
        let both = Self.pipeline(["detect", "classify"], required: [])
        #expect(now(both, Self.classifier) == .partial)
        #expect(now(both) == .fails)
    }

    @Test func modelsAreThoseThatAreAskedForOrTheNodesOwnFirst() {
        var pipeline = Self.cascade
        let second = Self.node("detector", "ready", models: "older")
        let nodes = [Self.detector, second, Self.classifier]
        #expect(PipelineLine(pipeline, nodes).models == ["yolo", "older", "squeeze"])
        pipeline.detectModel = "mine"
        #expect(PipelineLine(pipeline, nodes).models == ["mine", "squeeze"])
    }

    @Test func aNodeThatDoesBothServesEachStage() {
        var both = Self.node("node", "ready", models: "squeeze", "yolo")
        both.description?.models[0].task = "classification"
        both.description?.models[1].task = "detection"
        let line = PipelineLine(Self.cascade, [both])
        #expect(line.now == .ready && line.models == ["yolo", "squeeze"])
        #expect(PipelineLine(Self.cascade, [Self.node("node", "connecting")]).now == .fails)
    }

    @Test func aLineForPrograms() throws {
        var pipeline = Self.cascade
        pipeline.topK = 3
        pipeline.boxes = 64
        pipeline.unoffered = ["classify"]
        let line = PipelineLine(pipeline, [Self.detector])
        let json = try #require(try JSONSerialization.jsonObject(with: Data(line.json.utf8)) as? [String: Any])
        #expect(json["required"] as? [String] == ["detect"] && json["optional"] as? [String] == ["classify"])
        #expect(json["missing"] as? [String] == ["classify"] && json["now"] as? String == "partial")
        #expect(json["unoffered"] as? [String] == ["classify"])
        #expect(json["boxes"] as? Int == 64 && json["top_k"] as? Int == 3)
    }
}
