import Mesh
import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

/// Stages that are missing, full, or not wanted any more.
@Suite(.timeLimit(.minutes(5))) struct StageTests {
    // ---- missing ----

    @Test(arguments: ["cascade", "detect+classify"])
    func anOptionalStageThatIsGoneHoldsNoFrameUp(_ pipeline: String) async throws {
        try await TestMesh.with(configure: {
            $0.channel.readyTimeout = .seconds(1000)
            $0.optionalStageGrace = .milliseconds(50)
        }) { mesh in
            #expect(try await mesh.analyze(pipeline).status == .ok)
            await mesh.nodes[1].kill()
            for _ in 0..<5 {
                let answer = try await mesh.analyze(pipeline) { $0.frameDeadline = 200_000 }
                #expect(answer.status == .partial && answer.missing == ["classify"])
                // Not the deadline: nobody waited for that.
                #expect(answer.code == StatusCode.unavailable.rawValue && answer.detections.count == 1)
            }
            let answers = try await mesh.stream(pipeline, count: 10)
            #expect(answers.map(\.status) == Array(repeating: .partial, count: 10))
        }
    }

    @Test func aPartialAnswerComesBeforeTheClientGivesUp() async throws {
        let stuck = ScriptedNode(onClassify: { _ in
            try await Task.sleep(for: .seconds(600))
            throw RPCError(.internal, "it woke up")
        })
        // A lot of time for the way home, so that a busy machine is no matter.
        var margin = HopMargin()
        margin.most = .seconds(60)
        margin.share = 0.9
        try await TestMesh.with(classifiers: [stuck], configure: { [margin] in $0.hopMargin = margin }) { mesh in
            let request = AnalyzeRequest(frame: mesh.frame(), pipeline: "detect+classify")
            let answer = try await mesh.client.analyze(request, deadline: .after(.seconds(6)))
            #expect(answer.status == .partial && answer.missing == ["classify"])
            #expect(answer.code == StatusCode.deadlineExceeded.rawValue)
        }
    }

    // ---- full ----

    /// Nodes that refuse three calls, say of the fourth that it is bad, and came back after an outage, if they did.
    private final class FullNodes: StageCaller {
        let lastRecovery: NIODeadline?
        let outlook: EndpointOutlook? = nil
        let asked = Mutex(0)

        init(lastRecovery: NIODeadline?) { self.lastRecovery = lastRecovery }
        func untilReady() async throws {}

        func call(
            _ path: String, _ request: Payload, options: CallOptions, outageGrace: Duration?
        ) async throws -> ChannelResponse {
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            guard number < 4 else { throw RPCError(.invalidArgument, "bad picture") }
            throw RPCError(.resourceExhausted, "queue is full").pushingBack(.milliseconds(20))
        }
    }

    private func attempts(
        of frame: NIODeadline, recovery: NIODeadline?, both: (any StageCaller)? = nil
    ) async -> (count: Int, error: RPCError?) {
        let nodes = FullNodes(lastRecovery: recovery)
        let runner = FrameRunner(
            places: Places(detectors: nodes, nodes: both),
            configuration: CoordinatorConfiguration(detectors: nil, classifiers: nil))
        let detect = Pipeline.builtIn.first { $0.name == "detect" }
        guard let detect else { return (0, nil) }
        let frame = AcceptedFrame(
            request: AnalyzeRequest(frame: Frame(sequence: 1, payload: .attached(ByteBuffer())), pipeline: "detect"),
            pipeline: detect, arrival: frame, deadline: .after(.seconds(600)), waitsForRoom: false,
            client: CallOrigin(0))
        do {
            _ = try await runner.answer(frame)
            return (nodes.asked.withLock { $0 }, nil)
        } catch {
            return (nodes.asked.withLock { $0 }, error)
        }
    }

    @Test func aFrameOfNormalTimesIsToldAtOnceAndWhenToComeAgain() async {
        let now = NIODeadline.now()
        for recovery in [nil, now - .seconds(1)] {
            let (count, error) = await attempts(of: now, recovery: recovery)
            #expect(count == 1)
            #expect(error?.code == .resourceExhausted && error?.pushback == .milliseconds(20))
        }
    }

    @Test func fullNodesOfOneStageAreNotLeftForThoseOfBoth() async {
        let now = NIODeadline.now()
        let asked = Mutex(0)
        let both = ScriptedCaller("both") { _ in asked.withLock { $0 += 1 } }
        let (count, error) = await attempts(of: now, recovery: now - .seconds(1), both: both)
        #expect(count == 1 && error?.code == .resourceExhausted)
        #expect(asked.withLock { $0 } == 0)
    }

    @Test func aFrameThatCameDuringAnOutageIsTriedAgainWithinItsDeadline() async {
        let now = NIODeadline.now()
        let (count, error) = await attempts(of: now - .seconds(1), recovery: now)
        #expect(count == 4)
        #expect(error?.code == .invalidArgument)
    }

    // ---- whose frame ----

    @Test func nodesAreToldWhoseFrameItIs() async throws {
        let told = Mutex<[CallOrigin?]>([])
        let node = ScriptedNode(onCall: { context in
            told.withLock { $0.append(ClientKey.told(in: context.metadata)) }
        })
        try await TestMesh.with(detectors: [node], classifiers: nil) { mesh in
            _ = try await mesh.analyze("detect")
            _ = try await mesh.stream("detect", count: 2)
            let clients = told.withLock { $0 }
            #expect(clients.count == 3 && clients[0] != nil)
            // All of this host.
            #expect(Set(clients).count == 1)
        }
    }

    // ---- not wanted ----

    /// A call that lasts until it is cancelled, and says when it begins and that it was.
    private struct Endless: Sendable {
        let begun = AsyncStream<Void>.makeStream()
        let cancelled = AsyncStream<Void>.makeStream()

        func callAsFunction() async throws -> Never {
            begun.continuation.yield()
            do {
                while true { try await Task.sleep(for: .seconds(600)) }
            } catch {
                cancelled.continuation.yield()
                throw error
            }
        }
    }

    @Test func aStageThatFailsTheFrameEndsTheOther() async throws {
        let endless = Endless()
        let detector = ScriptedNode(onDetect: { _ in
            for await _ in endless.begun.stream { break }
            throw RPCError(.invalidArgument, "no picture")
        })
        let classifier = ScriptedNode(onClassify: { _ in try await endless() })
        try await TestMesh.with(detectors: [detector], classifiers: [classifier]) { mesh in
            await #expect(throws: RPCError.self) {
                try await mesh.client.analyze(
                    AnalyzeRequest(frame: mesh.frame(), pipeline: "detect+classify"), deadline: .after(.seconds(280)))
            }
            for await _ in endless.cancelled.stream { break }
        }
    }

    @Test func aClientThatLeavesEndsAllStagesOfItsFrame() async throws {
        let (detecting, classifying) = (Endless(), Endless())
        let detector = ScriptedNode(onDetect: { _ in try await detecting() })
        let classifier = ScriptedNode(onClassify: { _ in try await classifying() })
        try await TestMesh.with(detectors: [detector], classifiers: [classifier]) { mesh in
            let call = Task { try await mesh.analyze("detect+classify") }
            for stage in [detecting, classifying] { for await _ in stage.begun.stream { break } }
            call.cancel()
            for stage in [detecting, classifying] { for await _ in stage.cancelled.stream { break } }
            await #expect(throws: RPCError.self) { try await call.value }
        }
    }

    // ---- connections that age ----

    @Test func streamsAndCallsOutliveTheAgeOfTheirConnections() async throws {
        let age = Duration.milliseconds(300)
        try await TestMesh.with(
            detectors: [ScriptedNode(), ScriptedNode()], classifiers: nil, nodeAge: age,
            configure: {
                $0.server.age.maxAge = age
                $0.server.drainTimeout = .seconds(100)
            }
        ) { mesh in
            var configuration = ChannelConfiguration()
            configuration.readyTimeout = .seconds(100)
            let channel = BalancedChannel(
                target: try Target(parsing: mesh.address), healthService: ServiceName.vision,
                configuration: configuration, group: TestMesh.group, logger: TestMesh.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await channel.run() }
                // The connection that it begins on is told to go away many times before it ends.
                let stream = AnalyzeStreamClient(try await channel.open(MethodPath.analyzeStream))
                let sending = Task {
                    for sequence in 0..<60 as Range<UInt64> {
                        let frame = mesh.frame(sequence, captureTime: Int64(sequence) * 40_000)
                        try await stream.send(AnalyzeRequest(frame: frame, pipeline: "track"))
                        try await Task.sleep(for: .milliseconds(25))
                    }
                    stream.finishSending()
                }
                let streaming = Task { try await stream.answers.reduce(into: [AnalyzeResponse]()) { $0.append($1) } }
                for sequence in 0..<60 as Range<UInt64> {
                    let request = AnalyzeRequest(frame: mesh.frame(sequence), pipeline: "detect")
                    let response = try await channel.unary(
                        MethodPath.analyze, Payload(request), options: .init(deadline: .after(.seconds(100))))
                    #expect(try AnalyzeResponse.decode(response.payload).sequence == sequence)
                    try await Task.sleep(for: .milliseconds(10))
                }
                try await sending.value
                let answers = try await streaming.value
                #expect(answers.map(\.sequence) == Array(0..<60))
                #expect(answers.allSatisfy { $0.status == .ok && $0.epoch == 0 })
                // The tracker lives on with the stream.
                #expect(Set(answers.flatMap { $0.detections.compactMap(\.trackID) }).count == 1)
                channel.close()
                tasks.cancelAll()
            }
        }
    }
}
