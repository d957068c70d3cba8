import Messages
import Results
import Testing

@testable import framemesh

@Suite struct PipelineTableTests {
    @Test func aRowSaysWhatAPipelineIsMadeOfAndWhatIsMissing() throws {
        var detector = NodeState()
        detector.role = "detector"
        detector.state = "ready"
        var pipeline = PipelineDescription(
            name: "p", stages: ["detect", "classify", "track"], needsStream: false, text: "t")
        pipeline.required = ["detect"]
        let row = try #require(PipelineLine.table([PipelineLine(pipeline, [detector])]).lines.last)
        #expect(row.contains("detect, classify, track") && row.contains("partial: no classifier"))
    }
}
