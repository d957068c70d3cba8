import Mesh
import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

/// Both stages of a frame in one call.
@Suite(.timeLimit(.minutes(5))) struct FusionTests {
    private static let boxes: @Sendable (DetectRequest) async throws -> DetectResponse = { request in
        .found(
            [.digit(at: 5, confidence: 0.5), .digit(at: 40, confidence: 0.9), .digit(at: 80, confidence: 0.7)],
            in: request.frame)
    }

    // ---- one call ----

    @Test(arguments: ["detect+classify", "cascade"])
    func bothStagesAreOneCallWithTheSameAnswer(_ pipeline: String) async throws {
        let node = ScriptedNode(onDetect: Self.boxes)
        let apart = try await Self.answer(of: pipeline) { body in
            try await TestMesh.with(detectors: [node]) { try await body($0) }
        }
        let calls = Counter()
        let others = Counter()
        let fused = try await Self.answer(of: pipeline) { body in
            try await TestMesh.with(
                detectors: [others.node()], classifiers: [others.node()], both: [calls.node(node)]
            ) { try await body($0) }
        }
        #expect(calls.count == 1 && others.count == 0)
        #expect(fused.status == .ok && fused.detections == apart.detections && fused.classes == apart.classes)
        #expect([fused.width, fused.height] == [apart.width, apart.height])
        #expect(fused.sequence == apart.sequence && fused.attempts == 0)
        #expect(
            fused.stages == [
                "coordinator.queue", "node.queue", "node.decode", "detect.infer", "classify.infer", "node.network",
                "coordinator.fan_out", "coordinator.merge", "total",
            ])
        // What is counted twice is more than there was. The steps of the node are in the fan-out.
        let parts = fused.timing.filter { !["coordinator.fan_out", "total"].contains($0.stage) }.reduce(0) {
            $0 + $1.microseconds
        }
        let total = try #require(fused.timing.first { $0.stage == "total" }).microseconds
        #expect(parts <= total)
    }

    private static func answer(
        of pipeline: String,
        in mesh: ((@escaping (TestMesh) async throws -> Void) async throws -> Void)
    ) async throws -> AnalyzeResponse {
        var answer = AnalyzeResponse()
        try await mesh { answer = try await $0.analyze(pipeline) }
        return answer
    }

    @Test func timeThatBothStagesRanAtOnceIsCountedOnce() async throws {
        var node = ScriptedNode()
        node.onBoth = { request in
            try await Task.sleep(for: .milliseconds(30))
            var response = FusedResponse()
            response.sequence = request.frame.sequence
            response.timing = [
                Timing("detect.infer", microseconds: 20_000), Timing("classify.infer", microseconds: 18_000),
                Timing(Timing.overlap, microseconds: 18_000),
            ]
            return response
        }
        try await TestMesh.with(detectors: nil, classifiers: nil, both: [node]) { mesh in
            let answer = try await mesh.analyze("detect+classify")
            #expect(answer.timing.first { $0.stage == "node.overlap" }?.microseconds == 18_000)
            // Of 30 ms it accounts for 20.
            #expect(try #require(answer.timing.first { $0.stage == "node.network" }).microseconds >= 9000)
        }
    }

    @Test func aStreamOfACascadeThatTracksAsksForWeakBoxesAndClassifiesTheStrongOnes() async throws {
        let asked = Mutex<[FusedRequest]>([])
        var node = ScriptedNode()
        node.onBoth = { request in
            asked.withLock { $0.append(request) }
            var response = FusedResponse()
            response.sequence = request.frame.sequence
            response.width = 64
            response.height = 48
            response.detections = [.digit(at: 10)]
            response.detections[0].classes = [Classification(classID: 1, label: "at 10", confidence: 0.9)]
            return response
        }
        try await TestMesh.with(detectors: nil, classifiers: nil, both: [node]) { mesh in
            let answers = try await mesh.stream("cascade+track", count: 20)
            #expect(answers.map(\.sequence) == Array(0..<20))
            #expect(answers.allSatisfy { $0.status == .ok && $0.detections.map(\.classes.count) == [1] })
            #expect(Set(answers.flatMap { $0.detections.map(\.trackID) }).count == 1)
            let requests = asked.withLock { $0 }
            #expect(requests.count == 20)
            #expect(
                requests.allSatisfy {
                    $0.minConfidence == FrameRunner.trackingFloor && $0.boxConfidence > $0.minConfidence
                        && $0.boxes == 64
                })
        }
    }

    @Test func aNodeOfBothDoesOneStageToo() async throws {
        let calls = Counter()
        try await TestMesh.with(detectors: nil, classifiers: nil, both: [calls.node()]) { mesh in
            #expect(try await mesh.analyze("detect").detections.count == 1)
            #expect(try await mesh.analyze("classify").classes.map(\.label) == ["whole"])
            #expect(calls.count == 2)
            let nodes = try await mesh.client.nodes(deadline: .after(.seconds(30)))
            #expect(nodes.map(\.role) == ["node"])
        }
    }

    @Test func aStageThatFailsThereIsMissingAsElsewhere() async throws {
        var node = ScriptedNode()
        node.onBoth = { request in
            var response = FusedResponse()
            response.sequence = request.frame.sequence
            response.detections = [.digit(at: 10)]
            response.failures = [StageFailure(stage: "classify", code: 13, message: "net is broken")]
            return response
        }
        node.onClassify = { _ in throw RPCError(.internal, "net is broken") }
        try await TestMesh.with(detectors: nil, classifiers: nil, both: [node]) { mesh in
            for pipeline in ["detect+classify", "cascade"] {
                let answer = try await mesh.analyze(pipeline)
                #expect(answer.status == .partial && answer.missing == ["classify"])
                #expect(answer.detections.count == 1 && answer.code == 13)
                #expect(answer.cause == "classify is missing: net is broken")
            }
        }
        // Others do it.
        try await TestMesh.with(detectors: nil, both: [node]) { mesh in
            let whole = try await mesh.analyze("detect+classify")
            #expect(whole.status == .ok && whole.classes.map(\.label) == ["whole"] && whole.attempts == 1)
            let boxes = try await mesh.analyze("cascade")
            #expect(boxes.status == .ok && boxes.detections.map { $0.classes.map(\.label) } == [["at 10"]])
        }
    }

    @Test func boxesThatAreMissingThereAreAskedForElsewhere() async throws {
        var node = ScriptedNode()
        node.onBoth = { request in
            var response = FusedResponse()
            response.sequence = request.frame.sequence
            response.classes = [Classification(classID: 1, label: "there", confidence: 0.9)]
            response.failures = [StageFailure(stage: "detect", code: 13, message: "net is broken")]
            return response
        }
        try await TestMesh.with(classifiers: nil, both: [node]) { mesh in
            let answer = try await mesh.analyze("detect+classify")
            #expect(answer.status == .ok && answer.detections.count == 1 && answer.classes.map(\.label) == ["there"])
        }
    }

    /// What is no fault of the node is not asked for again.
    @Test func aStageThatWasRefusedIsMissing() async throws {
        let others = Counter()
        var node = ScriptedNode()
        node.onBoth = { request in
            var response = FusedResponse()
            response.sequence = request.frame.sequence
            response.detections = [.digit(at: 10)]
            response.failures = [StageFailure(stage: "classify", code: 8, message: "too many boxes")]
            return response
        }
        try await TestMesh.with(classifiers: [others.node()], both: [node]) { mesh in
            let answer = try await mesh.analyze("detect+classify")
            #expect(answer.status == .partial && answer.missing == ["classify"] && others.count == 0)
        }
    }

    @Test func aBadPictureIsBadWhoeverLooks() async throws {
        let others = Counter()
        var node = ScriptedNode()
        node.onBoth = { _ in throw RPCError(.invalidArgument, "no picture") }
        try await TestMesh.with(detectors: [others.node()], classifiers: [others.node()], both: [node]) { mesh in
            let error = await #expect(throws: RPCError.self) { () async throws in
                _ = try await mesh.analyze("detect+classify")
            }
            #expect(error?.code == .invalidArgument && others.count == 0)
        }
    }
}
