import Mesh
import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

/// What becomes of frames whose stages cannot go together, or that lose the node that has both.
@Suite(.timeLimit(.minutes(5))) struct FusionApartTests {
    // ---- apart ----

    @Test func nodesThatDoNotKnowItAreNotAsked() async throws {
        let old = Counter()
        try await TestMesh.with(both: [old.node(ScriptedNode(fusion: .unknown))]) { mesh in
            for pipeline in ["detect+classify", "cascade"] {
                let answer = try await mesh.analyze(pipeline)
                #expect(answer.status == .ok && answer.attempts == 0)
                #expect(answer.stages.isSuperset(of: ["detect.infer", "classify.infer"]))
                #expect(!answer.stages.contains("node.network"))
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
        #expect(answer.stages.isSuperset(of: ["node.network", "detect.infer", "classify.infer"]))
    }

    @Test func aFrameOfANodeThatDiesGoesToAnotherOne() async throws {
        let answer = try await deathInMidCall(
            detectors: [ScriptedNode()], classifiers: [ScriptedNode()], survivors: [ScriptedNode()], "detect+classify")
        #expect(answer.status == .ok && answer.stages.contains("node.decode"))
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

    /// One that finds nobody, or is lost with its detector, does not wait for that one to come back.
    @Test(arguments: ["detect", "track"])
    func framesOfADetectorThatDiesGoToANodeOfBoth(_ pipeline: String) async throws {
        let (reached, reach) = AsyncStream<Void>.makeStream()
        let doomed = ScriptedNode(onDetect: { request in
            reach.yield()
            try await Task.sleep(for: .seconds(600))
            return .found([], in: request.frame)
        })
        try await TestMesh.with(
            detectors: [doomed], classifiers: nil, both: [ScriptedNode()],
            configure: { $0.channel.readyTimeout = .seconds(1000) }
        ) { mesh in
            async let streamed = mesh.stream(pipeline, count: 40) { $0.frameDeadline = 600_000 }
            for await _ in reached { break }
            await mesh.nodes[0].kill()
            let answers = try await streamed
            #expect(answers.map(\.sequence) == Array(0..<40))
            #expect(answers.allSatisfy { $0.status == .ok }, "\(answers.first { $0.status != .ok }?.cause ?? "")")
            #expect(answers.contains { $0.attempts == 1 }, "some frames were running there")
        }
    }

    @Test func aFrameThatADetectorDiesOfCostsOneNodeMore() async throws {
        let calls = Counter()
        let begun = AsyncStream<Int>.makeStream()
        func doomed(_ number: Int) -> ScriptedNode {
            calls.node(
                ScriptedNode(onDetect: { _ in
                    begun.continuation.yield(number)
                    try await Task.sleep(for: .seconds(600))
                    throw RPCError(.internal, "it woke up")
                }))
        }
        // Of those of both, the one that is asked is killed.
        try await TestMesh.with(detectors: [doomed(0)], classifiers: nil, both: [doomed(1), doomed(2)]) { mesh in
            let killer = Task { for await number in begun.stream { await mesh.nodes[number].kill() } }
            let answers = try await mesh.stream("detect", count: 1) { $0.frameDeadline = 200_000 }
            #expect(answers.map(\.code) == [StatusCode.internal.rawValue])
            #expect(answers.first?.cause.contains("two endpoints were lost") == true)
            #expect(calls.count == 2)
            killer.cancel()
        }
    }
}
