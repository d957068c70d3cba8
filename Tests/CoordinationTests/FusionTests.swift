import Mesh
import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

/// Both stages of a frame in one call, and what becomes of frames where that cannot be.
@Suite(.timeLimit(.minutes(5))) struct FusionTests {
    /// Counts the calls that come.
    private final class Counter: Sendable {
        private let calls = Mutex(0)
        var count: Int { calls.withLock { $0 } }
        func node(_ node: ScriptedNode = ScriptedNode()) -> ScriptedNode {
            var node = node
            node.onCall = { [self] _ in calls.withLock { $0 += 1 } }
            return node
        }
    }

    private static let boxes: @Sendable (DetectRequest) async throws -> DetectResponse = { request in
        .found(
            [.digit(at: 5, confidence: 0.5), .digit(at: 40, confidence: 0.9), .digit(at: 80, confidence: 0.7)],
            in: request.frame)
    }

    private static func stages(_ answer: AnalyzeResponse) -> Set<String> { Set(answer.timing.map(\.stage)) }

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
            Self.stages(fused) == [
                "coordinator.queue", "node.queue", "node.decode", "detect.infer", "classify.infer", "node.network",
                "total",
            ])
        // What is counted twice is more than there was.
        let parts = fused.timing.filter { $0.stage != "total" }.reduce(0) { $0 + $1.microseconds }
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

    // ---- apart ----

    @Test func nodesThatDoNotKnowItAreNotAsked() async throws {
        let old = Counter()
        try await TestMesh.with(both: [old.node(ScriptedNode(fusion: .unknown))]) { mesh in
            for pipeline in ["detect+classify", "cascade"] {
                let answer = try await mesh.analyze(pipeline)
                #expect(answer.status == .ok && answer.attempts == 0)
                #expect(Self.stages(answer).isSuperset(of: ["detect.infer", "classify.infer"]))
                #expect(!Self.stages(answer).contains("node.network"))
            }
            #expect(old.count == 0)
            let state = try await mesh.client.nodes(deadline: .after(.seconds(30))).first { $0.role == "node" }
            #expect(state?.state != "ready")
        }
    }

    /// What a node that is ready says to a call with both stages, and how often it is asked then.
    @Test(arguments: [
        (StatusCode.notFound, 1), (.permissionDenied, 1), (.resourceExhausted, 3), (.unavailable, 3),
    ])
    func aNodeThatRefusesCostsNoFrame(_ code: StatusCode, _ asked: Int) async throws {
        let calls = Counter()
        var node = ScriptedNode()
        node.onBoth = { _ in throw RPCError(code, "not here") }
        let refusing = calls.node(node)
        try await TestMesh.with(
            both: [refusing],
            configure: {
                $0.fusionPause = .seconds(1000)
                $0.channel.maxAttempts = 1
            }
        ) { mesh in
            for number in 1...3 {
                let answer = try await mesh.analyze("detect+classify")
                #expect(answer.status == .ok && answer.missing.isEmpty)
                #expect(answer.detections.count == 1 && answer.classes.count == 1)
                #expect(answer.attempts == (number <= asked ? 1 : 0))
            }
            #expect(calls.count == asked)
        }
    }

    @Test func aNodeThatOnlyPromisesItDoesBothStagesApart() async throws {
        let calls = Counter()
        try await TestMesh.with(
            detectors: nil, classifiers: nil, both: [calls.node(ScriptedNode(fusion: .promised))]
        ) { mesh in
            let answer = try await mesh.analyze("cascade")
            #expect(answer.status == .ok && answer.attempts == 1)
            #expect(answer.detections.map { $0.classes.first?.label } == ["at 10"])
            #expect(calls.count == 2)
        }
    }

    @Test func withoutOthersTheErrorStands() async throws {
        var node = ScriptedNode()
        node.onBoth = { _ in throw RPCError(.unavailable, "ill") }
        try await TestMesh.with(
            detectors: nil, classifiers: nil, both: [node], configure: { $0.channel.maxAttempts = 1 }
        ) { mesh in
            let error = await #expect(throws: RPCError.self) { () async throws in
                _ = try await mesh.analyze("detect+classify")
            }
            #expect(error?.code == .unavailable)
        }
    }

    // ---- death ----

    /// A node that is killed as soon as it has a frame, and the frame's answer.
    private func deathInMidCall(
        detectors: [ScriptedNode]?, classifiers: [ScriptedNode]?, survivors: [ScriptedNode], _ pipeline: String
    ) async throws -> AnalyzeResponse {
        let begun = AsyncStream<Void>.makeStream()
        var doomed = ScriptedNode()
        doomed.onBoth = { _ in
            begun.continuation.yield()
            try await Task.sleep(for: .seconds(600))
            throw RPCError(.internal, "it woke up")
        }
        var answer = AnalyzeResponse()
        try await TestMesh.with(
            detectors: detectors, classifiers: classifiers, both: [doomed] + survivors,
            configure: { $0.channel.hedging.share = 0 }
        ) { mesh in
            let index = (detectors?.count ?? 0) + (classifiers?.count ?? 0)
            let killer = Task {
                for await _ in begun.stream {
                    await mesh.nodes[index].kill()
                    return
                }
            }
            // Until one has come to the doomed node.
            while answer.attempts == 0 { answer = try await mesh.analyze(pipeline) }
            await killer.value
            // Nobody misses it.
            for _ in 0..<5 { #expect(try await mesh.analyze(pipeline).status == .ok) }
            #expect(try await mesh.stream(pipeline, count: 10).allSatisfy { $0.status == .ok })
        }
        return answer
    }

    @Test(arguments: ["detect+classify", "cascade"])
    func aFrameOfANodeThatDiesGoesApart(_ pipeline: String) async throws {
        let answer = try await deathInMidCall(
            detectors: [ScriptedNode()], classifiers: [ScriptedNode()], survivors: [], pipeline)
        #expect(answer.status == .ok && answer.missing.isEmpty && answer.detections.count == 1)
        #expect(Self.stages(answer).isSuperset(of: ["node.network", "detect.infer", "classify.infer"]))
    }

    @Test func aFrameOfANodeThatDiesGoesToAnotherOne() async throws {
        let others = Counter()
        let answer = try await deathInMidCall(
            detectors: [others.node()], classifiers: [others.node()], survivors: [ScriptedNode()], "detect+classify")
        #expect(answer.status == .ok && Self.stages(answer).contains("node.decode"))
        #expect(others.count == 0)
    }

    // ---- places ----

    private struct Caller: StageCaller {
        var name: String
        var lastRecovery: NIODeadline?

        func call(
            _ path: String, _ request: Payload, options: CallOptions, outageGrace: Duration?
        ) async throws -> ChannelResponse { throw RPCError(.internal, name) }
    }

    private static func caller(_ name: String, isReady: Bool = true) -> Caller {
        Caller(name: name, lastRecovery: isReady ? .now() : nil)
    }

    @Test func aStageGoesWhereSomebodyIsReady() {
        func name(_ places: Places) -> String? { (places.caller(for: .detect) as? Caller)?.name }
        let own = Self.caller("own")
        let gone = Self.caller("gone", isReady: false)
        let both = Self.caller("both")
        #expect(name(Places(detectors: own, nodes: both)) == "own")
        #expect(name(Places(detectors: gone, nodes: both)) == "both")
        #expect(name(Places(detectors: gone, nodes: Self.caller("both", isReady: false))) == "gone")
        #expect(name(Places(nodes: both)) == "both")
        #expect(name(Places(classifiers: own)) == nil)
    }

    @Test func whatBecomesOfAFrameThatIsRefusedDependsOnWhoElseIsThere() {
        let ready = Self.caller("a")
        let gone = Self.caller("b", isReady: false)
        func verdict(_ code: StatusCode, _ places: Places) -> Places.Verdict { places.verdict(on: RPCError(code, "")) }
        let both = Places(detectors: ready, classifiers: ready, nodes: ready)
        let one = Places(detectors: ready, nodes: ready)
        let none = Places(detectors: gone, nodes: ready)
        for places in [both, one, none] {
            for code: StatusCode in [.unimplemented, .notFound, .permissionDenied] {
                #expect(verdict(code, places) == .apartFromNowOn)
            }
            for code: StatusCode in [.invalidArgument, .deadlineExceeded, .internal, .cancelled] {
                #expect(verdict(code, places) == .stands)
            }
        }
        #expect([both, one, none].map { verdict(.unavailable, $0) } == [.apart, .apart, .stands])
        #expect([both, one, none].map { verdict(.resourceExhausted, $0) } == [.apart, .stands, .stands])
    }

    @Test func aFrameOfANodeThatDiesKeepsTheStageThatOthersHave() async throws {
        let begun = AsyncStream<Void>.makeStream()
        var doomed = ScriptedNode()
        doomed.onBoth = { _ in
            begun.continuation.yield()
            try await Task.sleep(for: .seconds(600))
            throw RPCError(.internal, "it woke up")
        }
        try await TestMesh.with(
            classifiers: nil, both: [doomed], configure: { $0.channel.readyTimeout = .milliseconds(300) }
        ) { mesh in
            let killer = Task {
                for await _ in begun.stream {
                    await mesh.nodes[1].kill()
                    return
                }
            }
            let answer = try await mesh.analyze("detect+classify")
            await killer.value
            #expect(answer.status == .partial && answer.missing == ["classify"] && answer.detections.count == 1)
        }
    }

    @Test func stagesGoTogetherWhereSomebodyTakesThem() {
        let now = NIODeadline.now()
        func fuses(_ places: Places) -> Bool { places.fusing(now: now) != nil }
        let (ready, gone) = (Self.caller("a"), Self.caller("b", isReady: false))
        #expect(!fuses(Places(detectors: ready, classifiers: ready)))
        #expect(fuses(Places(detectors: ready, classifiers: ready, nodes: ready)))
        #expect(!fuses(Places(detectors: ready, classifiers: gone, nodes: gone)))
        #expect(fuses(Places(detectors: gone, classifiers: gone, nodes: gone)), "they all wait")
        let refusals = FusionRefusals(length: .seconds(5))
        refusals.note(RPCError(.unimplemented, "what is that"), at: now)
        let refused = Places(nodes: ready, refusals: refusals)
        #expect(!fuses(refused))
        #expect(refused.fusing(now: now + .seconds(6)) != nil)
    }
}
