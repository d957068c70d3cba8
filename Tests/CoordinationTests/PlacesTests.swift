import Mesh
import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

/// Where the stages of a frame go.
@Suite(.timeLimit(.minutes(5))) struct PlacesTests {
    private static func caller(_ name: String, isReady: Bool = true) -> ScriptedCaller {
        ScriptedCaller(name, isReady: isReady)
    }

    @Test func aStageGoesWhereSomebodyIsReady() {
        func name(_ places: Places) -> String? { (places.caller(for: .detect) as? ScriptedCaller)?.name }
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

    // ---- load ----

    private static func busy(_ fill: Double, cost: Double? = 10) -> ScriptedCaller {
        ScriptedCaller("", outlook: EndpointOutlook(cost: cost, fill: fill))
    }

    @Test func stagesGoApartWhereNodesOfBothHaveEnoughToDoAndOthersHaveNot() {
        func isSoonerApart(
            _ both: ScriptedCaller?, _ detectors: ScriptedCaller?, _ classifiers: ScriptedCaller?
        ) -> Bool {
            Places(detectors: detectors, classifiers: classifiers, nodes: both).isSoonerApart
        }
        #expect(!isSoonerApart(Self.busy(0.5, cost: 100), Self.busy(0), Self.busy(0)), "A worker is free.")
        #expect(isSoonerApart(Self.busy(1, cost: 40), Self.busy(0), Self.busy(0.5)))
        #expect(!isSoonerApart(Self.busy(1, cost: 30), Self.busy(0), Self.busy(0.5)), "That is about the same.")
        #expect(!isSoonerApart(Self.busy(4, cost: 100), Self.busy(0), Self.busy(1)), "All have enough to do.")
        #expect(!isSoonerApart(Self.busy(4, cost: 100), Self.busy(1), Self.busy(0)))
        #expect(isSoonerApart(Self.busy(1, cost: 1), Self.busy(0, cost: nil), Self.busy(0)), "That has to be seen.")
        #expect(!isSoonerApart(Self.busy(4), Self.busy(0), nil) && !isSoonerApart(nil, Self.busy(0), Self.busy(0)))
        let gone = ScriptedCaller("gone", isReady: false)
        #expect(!isSoonerApart(Self.busy(4, cost: 100), Self.busy(0), gone))
        let places = Places(detectors: Self.busy(0), classifiers: Self.busy(0), nodes: Self.busy(1, cost: 40))
        #expect(places.fusing(now: .now()) == nil)
    }

    @Test func busyIsWhereNobodyWouldBeginAtOnce() throws {
        func areBusy(
            _ pipeline: String, _ both: ScriptedCaller?, _ detectors: ScriptedCaller?, _ classifiers: ScriptedCaller?
        ) throws -> Bool {
            let pipeline = try #require(Pipeline.builtIn.first { $0.name == pipeline })
            return Places(detectors: detectors, classifiers: classifiers, nodes: both).areBusy(for: pipeline)
        }
        let (free, full) = (Self.busy(0.5), Self.busy(1))
        #expect(try !areBusy("detect", nil, free, nil) && areBusy("detect", nil, full, free))
        #expect(try areBusy("classify", nil, free, full) && !areBusy("classify", nil, full, free))
        #expect(try areBusy("detect+classify", nil, free, full), "Both stages begin at once.")
        #expect(try areBusy("cascade", nil, full, free) && !areBusy("cascade", nil, free, full), "They do not.")
        #expect(try !areBusy("detect+classify", nil, free, free))
        #expect(try !areBusy("cascade", free, full, full) && !areBusy("cascade", full, free, free))
        #expect(try areBusy("cascade", full, full, free) && areBusy("detect", nil, nil, nil))
    }

    @Test func whatComesBeyondWhatNodesOfBothRunIsDoneByOthers() async throws {
        let held = AsyncStream<Void>.makeStream()
        let (fused, apart) = (Counter(), Counter())
        var node = ScriptedNode(workers: 1)
        node.onBoth = { request in
            for await _ in held.stream { break }
            var response = FusedResponse()
            response.sequence = request.frame.sequence
            return response
        }
        try await TestMesh.with(detectors: [apart.node()], classifiers: [apart.node()], both: [fused.node(node)]) {
            mesh in
            let running = Task { try await mesh.analyze("cascade") }
            while fused.count == 0 { try await Task.sleep(for: .milliseconds(2)) }
            for _ in 0..<3 {
                let answer = try await mesh.analyze("cascade")
                #expect(answer.status == .ok && answer.stages.contains("classify.infer"))
            }
            #expect(fused.count == 1 && apart.count == 6)
            held.continuation.finish()
            let first = try await running.value
            #expect(first.status == .ok)
        }
    }

    // ---- nobody ready ----

    private static func frame(_ pipeline: String) throws -> AcceptedFrame {
        let pipeline = try #require(Pipeline.builtIn.first { $0.name == pipeline })
        let now = NIODeadline.now()
        return AcceptedFrame(
            request: AnalyzeRequest(
                frame: Frame(sequence: 1, payload: .attached(ByteBuffer())), pipeline: pipeline.name),
            pipeline: pipeline, arrival: now, deadline: Deadline(instant: now + .seconds(240)), waitsForRoom: false,
            client: CallOrigin(1))
    }

    /// What becomes of a frame that finds nobody, and what is asked for it, in order.
    private func outcome(
        of pipeline: String,
        _ come: (_ detectors: ScriptedCaller, _ classifiers: ScriptedCaller, _ both: ScriptedCaller) -> Void
    ) async throws -> (answer: AnalyzeResponse, asked: [String]) {
        let asked = Mutex<[String]>([])
        let callers = ["detectors", "classifiers", "both"].map { name in
            ScriptedCaller(name, isReady: false) { path in asked.withLock { $0.append("\(name) \(path)") } }
        }
        var configuration = CoordinatorConfiguration(detectors: nil, classifiers: nil)
        configuration.optionalStageGrace = .milliseconds(50)
        let runner = FrameRunner(
            places: Places(detectors: callers[0], classifiers: callers[1], nodes: callers[2]),
            configuration: configuration)
        let frame = try Self.frame(pipeline)
        async let answer = runner.run(frame)
        // It stands in all lines.
        for caller in callers { await caller.isAwaited() }
        come(callers[0], callers[1], callers[2])
        return (await answer, asked.withLock { $0 })
    }

    @Test(arguments: ["cascade", "detect+classify"])
    func aFrameThatFindsNobodyTakesWhoComesFirst(_ pipeline: String) async throws {
        let fused = try await outcome(of: pipeline) { _, _, both in both.come() }
        #expect(fused.answer.status == .ok && fused.asked == ["both \(MethodPath.fused)"])
        let apart = try await outcome(of: pipeline) { detectors, classifiers, _ in
            detectors.come()
            classifiers.come()
        }
        #expect(apart.answer.status == .ok && apart.answer.attempts == 0)
        #expect(apart.asked.sorted() == ["classifiers \(MethodPath.classify)", "detectors \(MethodPath.detect)"])
    }

    @Test func oneStageThatComesAloneIsNotAllThereMayBe() async throws {
        let late = try await outcome(of: "detect+classify") { detectors, _, both in
            detectors.come()
            both.come()
        }
        #expect(late.answer.status == .ok && late.asked == ["both \(MethodPath.fused)"])
        let alone = try await outcome(of: "detect+classify") { detectors, _, _ in detectors.come() }
        #expect(alone.answer.status == .partial && alone.answer.missing == ["classify"])
        #expect(alone.answer.detections.count == 1)
    }

    /// When it went to nodes of both others were ready, and when all of those are full there is nobody else.
    @Test func aLosslessFrameWaitsForRoomWhereOthersHaveGone() async throws {
        let detectors = Self.caller("detectors")
        let asked = Mutex(0)
        let both = ScriptedCaller("both") { _ in
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            detectors.leave()
            if number < 4 { throw RPCError(.resourceExhausted, "queue is full") }
        }
        let runner = FrameRunner(
            places: Places(detectors: detectors, classifiers: Self.caller("classifiers"), nodes: both),
            configuration: CoordinatorConfiguration(detectors: nil, classifiers: nil))
        var frame = try Self.frame("cascade")
        frame.waitsForRoom = true
        let answer = await runner.run(frame)
        #expect(answer.status == .ok && answer.attempts == 3)
        #expect(asked.withLock { $0 } == 4)
    }
}
