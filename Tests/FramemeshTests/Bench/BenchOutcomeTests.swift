import Bench
import Foundation
import Messages
import RPC
import Testing

@testable import framemesh

@Suite struct BenchOutcomeTests {
    @Test func refusedIsToldFromFailed() {
        #expect(
            FrameOutcome(RPCError(.resourceExhausted, "64 frames wait")).ending
                == .refused(cause: "RESOURCE_EXHAUSTED: N frames wait"))
        #expect(FrameOutcome(RPCError(.internal, "x 7")).ending == .failed(cause: "INTERNAL: x N"))
        var answer = AnalyzeResponse()
        (answer.status, answer.code, answer.cause) = (.error, StatusCode.resourceExhausted.rawValue, "full")
        #expect(FrameOutcome(answer).ending == .refused(cause: "RESOURCE_EXHAUSTED: full"))
        (answer.status, answer.code, answer.cause) = (.error, 9999, "odd")
        #expect(FrameOutcome(answer).ending == .failed(cause: "CODE_N: odd"))
        (answer.status, answer.cause) = (.dropped, "replaced by the newer frame 7")
        #expect(FrameOutcome(answer).ending == .dropped(cause: "replaced by the newer frame N"))
    }

    @Test func whatIsMissingInPartialAnswersIsTold() {
        var answer = AnalyzeResponse()
        (answer.status, answer.cause) = (.partial, "classify is missing: none of 2 nodes is ready")
        #expect(FrameOutcome(answer).ending == .partial(cause: "classify is missing: none of N nodes is ready"))
        let failure = StageFailure(stage: "classify", code: 8, message: "64 wait")
        #expect(NodeTarget.ending([failure]) == .partial(cause: "classify is missing: N wait"))
        #expect(NodeTarget.ending([]) == .ok)
    }

    @Test func answersTellTheirSteps() {
        var answer = AnalyzeResponse()
        answer.timing = [Timing("detect.infer", microseconds: 7)]
        (answer.attempts, answer.epoch) = (1, 3)
        let outcome = FrameOutcome(answer)
        #expect(outcome.ending == .ok && outcome.isRetried && outcome.epoch == 3)
        #expect(outcome.stages.map(\.name) == ["detect.infer"] && outcome.stages.map(\.microseconds) == [7])
    }

    @Test func answersOfGatewaysAreRead() {
        let ok = GatewayTarget.outcome(
            200,
            Data(
                #"{"results":[{"status":"ok","detections":[{"x":1},{"x":2}],"timing_ms":{"total":1.001,"detect.infer":-1}}]}"#
                    .utf8))
        #expect(ok.ending == .ok && ok.detections == 2)
        #expect(ok.stages.map(\.name) == ["total"] && ok.stages.map(\.microseconds) == [1001])
        let partial = GatewayTarget.outcome(200, Data(#"{"results":[{"status":"partial","cause":"x"}]}"#.utf8))
        #expect(partial.ending == .partial(cause: "x"))
    }

    /// Before anything is measured: else there would be nothing but failures.
    @Test func aPipelineThatTheNodesOfAMeshCannotRunIsSaid() {
        func node(_ role: String, _ state: String) -> NodeState {
            var node = NodeState()
            (node.role, node.state) = (role, state)
            return node
        }
        var pipeline = PipelineDescription(name: "p", stages: ["detect", "classify"], needsStream: false, text: "")
        pipeline.required = ["detect"]
        func objection(_ nodes: NodeState...) -> Fatal? { MeshTarget.objection(to: pipeline, with: nodes) }
        #expect(objection(node("node", "ready")) == nil && objection(node("detector", "ejected")) == nil)
        let other = objection(node("classifier", "ready"))
        #expect(other?.status == .usage && other?.message?.hasSuffix("no node of the mesh is ready for detect") == true)
        let away = objection(node("node", "connecting"))
        #expect(away?.status == .unreachable && away?.message?.hasSuffix("ready for detect") == true)
        // Nobody will ever classify, and that is not why.
        #expect(objection(node("detector", "connecting"))?.status == .unreachable)
        pipeline.required = []
        #expect(objection(node("detector", "connecting"))?.message?.hasSuffix("ready for detect and classify") == true)
    }

    @Test func aPipelineThatAGatewayCannotRunIsSaid() throws {
        func objection(_ pipeline: String, _ listed: String) -> Fatal? {
            GatewayTarget.objection(to: pipeline, 200, Data(#"{"pipelines":[\#(listed)]}"#.utf8))
        }
        let listed =
            #"{"name":"detect","needs_stream":false,"missing":[]},{"name":"track","needs_stream":true,"missing":[]}"#
        #expect(objection("detect", listed) == nil)
        let unknown = objection("detetc", listed)
        #expect(unknown?.message == "unknown pipeline 'detetc'; the gateway knows detect, track")
        #expect(unknown?.status == .usage && objection("track", listed)?.message?.contains("streams only") == true)
        #expect(objection("detect", "") == nil)
    }

    @Test(
        arguments: [
            (#""missing":["detect"],"now":"fails","unoffered":["detect"]"#, .usage),
            (#""missing":["detect"],"now":"fails","unoffered":[]"#, .unreachable),
            (
                #""required":["detect"],"missing":["detect","classify"],"now":"fails","unoffered":["classify"]"#,
                .unreachable
            ),
            (#""missing":["classify"],"now":"partial","unoffered":["classify"]"#, nil),
            // An older one does not say what becomes of a frame.
            (#""missing":["detect"]"#, nil), (#""missing":[],"now":"ready","unoffered":[]"#, nil),
        ] as [(String, framemesh.ExitStatus?)])
    func aPipelineWithoutNodesBehindAGatewayIsSaid(_ fields: String, _ status: framemesh.ExitStatus?) {
        let body = Data(#"{"pipelines":[{"name":"p","needs_stream":false,\#(fields)}]}"#.utf8)
        let objection = GatewayTarget.objection(to: "p", 200, body)
        #expect(objection?.status == status)
        #expect(objection == nil || objection?.message?.hasSuffix("no node of the mesh is ready for detect") == true)
    }

    /// Nothing but refusals would be measured.
    @Test func whomAGatewayDoesNotLetInIsTold() {
        let problem = Data(#"{"title":"Unauthorized","detail":"a token is needed"}"#.utf8)
        let ends: [(UInt, framemesh.ExitStatus)] = [
            (401, .failed), (403, .failed), (421, .failed), (503, .unreachable), (504, .unreachable),
        ]
        for (status, code) in ends {
            let objection = GatewayTarget.objection(to: "p", status, problem)
            #expect(objection?.status == code)
            #expect(objection?.message == "no frame would be answered: HTTP \(status): a token is needed")
        }
        for status in [404, 429, 502] as [UInt] { #expect(GatewayTarget.objection(to: "p", status, problem) == nil) }
        // What stands before it may hide its lists, and no more.
        #expect(GatewayTarget.objection(to: "p", 403, Data("<html>".utf8)) == nil)
    }

    @Test func whatGatewaysRefuseIsCountedByCause() {
        let problem = Data(#"{"title":"busy","detail":"all 32 places are taken"}"#.utf8)
        #expect(GatewayTarget.outcome(429, problem).ending == .refused(cause: "HTTP 429: all N places are taken"))
        #expect(GatewayTarget.outcome(503, Data()).ending == .refused(cause: "HTTP 503"))
        #expect(GatewayTarget.outcome(400, problem).ending == .failed(cause: "HTTP 400: all N places are taken"))
        for body in ["", "{}", "[]", #"{"results":[]}"#, "<html>"] {
            guard case .failed = GatewayTarget.outcome(200, Data(body.utf8)).ending else {
                Issue.record("\(body)")
                continue
            }
        }
    }
}
