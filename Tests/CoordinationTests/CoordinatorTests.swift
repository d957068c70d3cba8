import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

@Suite struct CoordinatorTests {
    private func code(_ body: () async throws -> some Any) async -> (StatusCode?, String) {
        do {
            _ = try await body()
            return (nil, "")
        } catch let error as RPCError {
            return (error.code, error.message)
        } catch {
            return (.unknown, "\(error)")
        }
    }

    /// Nodes that are away are another thing than nodes that nobody has named.
    @Test func itTellsWhichStagesItHasNoNodesForByItsConfiguration() async throws {
        func unoffered(_ mesh: TestMesh) async throws -> [String: [String]] {
            let pipelines = try await mesh.client.pipelines(deadline: .after(.seconds(30)))
            return Dictionary(uniqueKeysWithValues: pipelines.map { ($0.name, $0.unoffered) })
        }
        try await TestMesh.with(classifiers: nil) { mesh in
            let told = try await unoffered(mesh)
            #expect(told["detect"] == [] && told["track"] == [])
            let classifying = ["classify", "detect+classify", "cascade", "cascade+track"]
            #expect(classifying.allSatisfy { told[$0] == ["classify"] })
        }
        for (classifiers, both) in [([], nil), (nil, [ScriptedNode()])] as [([ScriptedNode]?, [ScriptedNode]?)] {
            try await TestMesh.with(classifiers: classifiers, both: both) { mesh in
                let told = try await unoffered(mesh)
                #expect(told.count == Pipeline.builtIn.count && told.values.allSatisfy(\.isEmpty))
            }
        }
    }

    @Test func parallelStagesAreMerged() async throws {
        try await TestMesh.with { mesh in
            let answer = try await mesh.analyze("detect+classify")
            #expect(answer.status == .ok && answer.sequence == 7 && answer.stream == "s")
            #expect(answer.width == 64 && answer.height == 48)
            #expect(answer.detections.map(\.label) == ["digit"])
            #expect(answer.classes.map(\.label) == ["whole"])
            let stages = Set(answer.timing.map(\.stage))
            #expect(
                stages.isSuperset(of: [
                    "coordinator.queue", "detect.infer", "detect.network", "classify.infer", "classify.network",
                    "coordinator.fan_out", "coordinator.merge", "total",
                ]))
        }
    }

    @Test func timeThatANodeDoesNotAccountForIsTheNetworks() async throws {
        let slow = ScriptedNode(onDetect: { request in
            try await Task.sleep(for: .milliseconds(30))
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [slow]) { mesh in
            let answer = try await mesh.analyze("detect")
            let network = try #require(answer.timing.first { $0.stage == "detect.network" })
            #expect(network.microseconds >= 29_000)
        }
    }

    @Test func aCascadeGivesEachBoxItsOwnClasses() async throws {
        let detector = ScriptedNode(onDetect: { request in
            .found(
                [.digit(at: 5, confidence: 0.5), .digit(at: 40, confidence: 0.9), .digit(at: 80, confidence: 0.7)],
                in: request.frame)
        })
        try await TestMesh.with(detectors: [detector]) { mesh in
            let answer = try await mesh.analyze("cascade")
            #expect(answer.detections.map { $0.classes.first?.label } == ["at 5", "at 40", "at 80"])
        }
    }

    @Test(arguments: [1, 3])
    func aClassifierWithMoreOrFewerRegionsThanItWasAskedForHasFailed(_ regions: Int) async throws {
        let detector = ScriptedNode(onDetect: { .found([.digit(at: 5), .digit(at: 40)], in: $0.frame) })
        let classifier = ScriptedNode(onClassify: { request in
            var response = ClassifyResponse()
            response.sequence = request.frame.sequence
            let classes = [Classification(classID: 1, label: "one", confidence: 0.9)]
            response.regions = Array(repeating: classes, count: regions)
            return response
        })
        try await TestMesh.with(detectors: [detector], classifiers: [classifier]) { mesh in
            let answer = try await mesh.analyze("cascade")
            #expect(answer.status == .partial && answer.missing == ["classify"])
            #expect(answer.code == StatusCode.internal.rawValue)
            #expect(answer.cause == "classify is missing: a node answered \(regions) regions when asked for 2")
            #expect(answer.detections.count == 2 && answer.detections.allSatisfy { $0.classes.isEmpty })
        }
    }

    @Test func aCascadeWithoutBoxesAsksNoClassifier() async throws {
        let detector = ScriptedNode(onDetect: { .found([], in: $0.frame) })
        let classifier = ScriptedNode(onClassify: { _ in throw RPCError(.internal, "was asked") })
        try await TestMesh.with(detectors: [detector], classifiers: [classifier]) { mesh in
            let answer = try await mesh.analyze("cascade")
            #expect(answer.status == .ok && answer.detections.isEmpty)
        }
    }

    @Test func aMissingOptionalStageMakesTheAnswerPartial() async throws {
        try await TestMesh.with(classifiers: []) { mesh in
            for pipeline in ["cascade", "detect+classify"] {
                let answer = try await mesh.analyze(pipeline)
                #expect(answer.status == .partial && answer.missing == ["classify"])
                #expect(answer.detections.count == 1)
                #expect(answer.cause.contains("127.0.0.1:1"))
            }
        }
    }

    @Test func aMissingRequiredStageFailsTheFrameAndSaysWhatWasTried() async throws {
        try await TestMesh.with(classifiers: []) { mesh in
            let (status, message) = await code { try await mesh.analyze("classify") }
            #expect(status == .unavailable && message.contains("127.0.0.1:1"))
            let answers = try await mesh.stream("classify", count: 2)
            #expect(answers.map(\.status) == [.error, .error])
            #expect(answers.allSatisfy { $0.code == StatusCode.unavailable.rawValue })
        }
        try await TestMesh.with(classifiers: nil) { mesh in
            let (status, message) = await code { try await mesh.analyze("classify") }
            #expect(status == .failedPrecondition && message.contains("classify"))
        }
    }

    @Test func whatCannotBeIsRefusedByName() async throws {
        try await TestMesh.with { mesh in
            let (status, message) = await code { try await mesh.analyze("dream") }
            #expect(status == .invalidArgument && message.contains("dream") && message.contains("cascade+track"))
            #expect(await code { try await mesh.analyze("track") }.0 == .invalidArgument)
            #expect(await code { try await mesh.stream("dream", count: 1) }.0 == .invalidArgument)
            let late = await code { try await mesh.stream("detect", count: 1) { $0.policy = .deadline } }
            #expect(late.0 == .invalidArgument && late.1.contains("frame_deadline_ms"))
        }
    }

    @Test func aBadPictureFailsItsFrameAlone() async throws {
        let detector = ScriptedNode(onDetect: { request in
            if request.frame.sequence == 3 { throw RPCError(.invalidArgument, "not a picture") }
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [detector]) { mesh in
            let answers = try await mesh.stream("detect+classify", count: 6)
            #expect(answers.map(\.status) == [.ok, .ok, .ok, .error, .ok, .ok])
            #expect(answers[3].cause == "not a picture")
        }
    }

    @Test func aFrameThatFailedSaysHowOftenItWasTried() async throws {
        let asked = Mutex(0)
        let detector = ScriptedNode(onDetect: { _ in
            asked.withLock { $0 += 1 }
            throw RPCError(.unavailable, "not now")
        })
        try await TestMesh.with(detectors: [detector]) { mesh in
            let answers = try await mesh.stream("detect", count: 1)
            #expect(answers.map(\.status) == [.error])
            let calls = asked.withLock { $0 }
            #expect(calls > 1)
            #expect(answers.map(\.attempts) == [calls - 1])
        }
    }

    @Test func answersKeepTheOrderOfFramesWhateverTheNodesDo() async throws {
        let slowSometimes = ScriptedNode(onDetect: { request in
            try await Task.sleep(for: .milliseconds(Int64((request.frame.sequence &* 2_654_435_761) % 9)))
            return .found([.digit(at: Float(request.frame.sequence))], in: request.frame)
        })
        try await TestMesh.with(detectors: [slowSometimes, slowSometimes]) { mesh in
            let answers = try await mesh.stream("detect", count: 300)
            #expect(answers.map(\.sequence) == Array(0..<300))
            #expect(answers.allSatisfy { $0.status == .ok && $0.detections[0].box.x == Float($0.sequence) })
        }
    }

    @Test func framesOfADeadNodeGoToAnother() async throws {
        let slow = ScriptedNode(onDetect: { request in
            try await Task.sleep(for: .milliseconds(4))
            return .found([], in: request.frame)
        })
        let (reached, reach) = AsyncStream<Void>.makeStream()
        let doomed = ScriptedNode(onDetect: { request in
            reach.yield()
            try await Task.sleep(for: .seconds(600))
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [doomed, slow]) { mesh in
            async let streamed = mesh.stream("detect", count: 200)
            for await _ in reached { break }
            await mesh.nodes[0].kill()
            let answers = try await streamed
            #expect(answers.map(\.sequence) == Array(0..<200))
            #expect(answers.allSatisfy { $0.status == .ok }, "\(answers.first { $0.status != .ok }?.cause ?? "")")
            #expect(answers.contains { $0.attempts > 0 }, "some frames were running there")
        }
    }

    @Test func losslessFramesWaitForAFullMesh() async throws {
        let refusals = Mutex(0)
        let full = ScriptedNode(onDetect: { request in
            let refuses = refusals.withLock { count in
                count += 1
                return count < 40
            }
            if refuses { throw RPCError(.resourceExhausted, "queue is full") }
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [full]) { mesh in
            #expect(
                await code { try await mesh.analyze("detect") }.0 == .resourceExhausted, "a unary call is told at once")
            let answers = try await mesh.stream("detect", count: 20)
            #expect(answers.map(\.sequence) == Array(0..<20) && answers.allSatisfy { $0.status == .ok })
        }
    }

    @Test func latestAnswersEveryFrameAndTheNewestWins() async throws {
        let slow = ScriptedNode(onDetect: { request in
            try await Task.sleep(for: .milliseconds(20))
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [slow]) { mesh in
            let answers = try await mesh.stream("detect", count: 200) { $0.policy = .latest }
            #expect(answers.map(\.sequence) == Array(0..<200))
            #expect(answers.last?.status == .ok)
            let dropped = answers.filter { $0.status == .dropped }
            #expect(!dropped.isEmpty && dropped.allSatisfy { $0.cause.contains("newer frame") })
            #expect(answers.allSatisfy { $0.status == .ok || $0.status == .dropped })
        }
    }

    @Test func deadlineDropsWhatIsTooLateAndSaysSo() async throws {
        let slow = ScriptedNode(onDetect: { request in
            if request.frame.sequence > 0 { try await Task.sleep(for: .seconds(600)) }
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [slow]) { mesh in
            let answers = try await mesh.stream("detect", count: 12) {
                $0.policy = .deadline
                $0.frameDeadline = 5000
            }
            #expect(answers.map(\.sequence) == Array(0..<12))
            #expect(answers.map(\.status) == [.ok] + Array(repeating: .dropped, count: 11))
            #expect(answers.dropFirst().allSatisfy { $0.code == StatusCode.deadlineExceeded.rawValue })
        }
    }

    @Test func tracksLastThroughAStream() async throws {
        let moving = ScriptedNode(onDetect: { request in
            .found(
                [.digit(at: Float(request.frame.sequence) * 2), .digit(at: 300, confidence: 0.12)], in: request.frame)
        })
        try await TestMesh.with(detectors: [moving]) { mesh in
            for pipeline in ["track", "cascade+track"] {
                let answers = try await mesh.stream(pipeline, count: 30)
                let ids = Set(answers.flatMap { $0.detections.compactMap(\.trackID) })
                #expect(ids.count == 1)
                #expect(answers.allSatisfy { $0.detections.count == 1 }, "the weak box was for the tracker alone")
                #expect(answers.allSatisfy { $0.timing.contains { $0.stage == "track" } })
            }
        }
    }

    @Test func anAnswerToAnotherFrameIsNotTaken() async throws {
        let confused = ScriptedNode(onDetect: { request in
            var response = DetectResponse.found([], in: request.frame)
            response.sequence += 1
            return response
        })
        try await TestMesh.with(detectors: [confused]) { mesh in
            let (status, message) = await code { try await mesh.analyze("detect") }
            #expect(status == .internal && message.contains("answered frame 8"))
        }
    }

    @Test func anAnswerThatCannotBeReadIsTheNodesFault() async throws {
        let detector = ScriptedNode(onDetect: { request in
            .found((0..<20).map { Detection.digit(at: Float($0)) }, in: request.frame)
        })
        // More fields than a message may have.
        let classifier = ScriptedNode(onClassify: { request in
            let classes = Array(repeating: Classification(classID: 1, label: "one", confidence: 0.9), count: 1000)
            var response = ClassifyResponse()
            response.sequence = request.frame.sequence
            response.regions = request.regions.map { _ in classes }
            return response
        })
        try await TestMesh.with(detectors: [detector], classifiers: [classifier]) { mesh in
            let answer = try await mesh.analyze("cascade")
            #expect(answer.status == .partial && answer.missing == ["classify"] && answer.detections.count == 20)
            #expect(answer.code == StatusCode.internal.rawValue)
            #expect(answer.cause.contains("\(mesh.nodes[1].target)'s answer cannot be read"), "\(answer.cause)")
        }
    }

    @Test func anAnswerThatIsTooLargeIsNotAskedForAgain() async throws {
        let calls = Counter()
        let label = String(repeating: "x", count: 12 << 10)
        let detector = ScriptedNode(onDetect: { request in
            let box = Detection(classID: 0, label: label, confidence: 0.8, box: Box(x: 1, y: 1, width: 9, height: 9))
            return .found(Array(repeating: box, count: 400), in: request.frame)
        })
        try await TestMesh.with(detectors: [calls.node(detector)]) { mesh in
            let answers = try await mesh.stream("detect", count: 1)
            #expect(answers.map(\.code) == [StatusCode.internal.rawValue])
            #expect(answers.first?.cause.contains("answer cannot be read") == true, "\(answers.first?.cause ?? "")")
            #expect(calls.count == 1)
        }
    }

    @Test func moreClassesThanAnAnswerHasAreRefused() async throws {
        let most = Pipeline.maxClasses / Pipeline.maxCascadeBoxes
        try await TestMesh.with { mesh in
            let (status, message) = await code { try await mesh.analyze("cascade") { $0.topK = most + 1 } }
            #expect(status == .invalidArgument && message.contains("above \(most)") && message.contains("64 boxes"))
            let streamed = await code { try await mesh.stream("cascade+track", count: 1) { $0.topK = 1000 } }
            #expect(streamed.0 == .invalidArgument)
            for (pipeline, topK) in [("cascade", most), ("classify", 1000), ("detect", 100_000)] {
                let answer = try await mesh.analyze(pipeline) { $0.topK = topK }
                #expect(answer.status == .ok)
            }
        }
    }

    /// As many boxes as a model finds, with all that is known of them.
    @Test func theLargestAnswerCanBeRead() throws {
        let classes = Array(
            repeating: Classification(classID: 1, label: "one", confidence: 0.9), count: Pipeline.maxClasses / 1000)
        let detection = Detection(
            classID: 1, label: "digit", confidence: 0.8, box: Box(x: 1, y: 1, width: 9, height: 9), trackID: 1,
            classes: classes)
        var answer = AnalyzeResponse.answering(Frame(stream: "s", sequence: 1, payload: .attached(ByteBuffer())))
        answer.detections = Array(repeating: detection, count: 1000)
        answer.timing = Array(repeating: Timing("detect.infer", microseconds: 1), count: 20)
        #expect(try AnalyzeResponse.decode(Payload(answer)).detections.count == 1000)
    }

    @Test func framesOfAnotherPipelineAreRefusedAlone() async throws {
        try await TestMesh.with { mesh in
            let answers = try await mesh.stream("detect", count: 4) {
                if $0.frame.sequence == 2 { $0.pipeline = "classify" }
                if $0.frame.sequence == 3 { $0.pipeline = "" }
            }
            #expect(answers.map(\.status) == [.ok, .ok, .error, .ok])
            #expect(answers[2].cause.contains("classify"))
            #expect(answers[2].timing.map(\.stage) == ["total"])
        }
    }

    @Test func whatIsNoRequestEndsTheStreamAfterWhatWasAccepted() async throws {
        try await TestMesh.with { mesh in
            let call = try await mesh.connection.open(MethodPath.analyzeStream)
            for sequence in 0..<3 as Range<UInt64> {
                try await call.send(Payload(AnalyzeRequest(frame: mesh.frame(sequence), pipeline: "detect")))
            }
            try await call.send(Payload(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF])))
            var sequences: [UInt64] = []
            let (status, _) = await code {
                for try await answer in AnalyzeStreamClient(call).answers { sequences.append(answer.sequence) }
            }
            #expect(sequences == [0, 1, 2])
            #expect(status == .invalidArgument)
        }
    }

    @Test func aDrainEndsAStreamAfterWhatItAccepted() async throws {
        let asked = Mutex<Set<UInt64>>([])
        let slow = ScriptedNode(onDetect: { request in
            asked.withLock { _ = $0.insert(request.frame.sequence) }
            try await Task.sleep(for: .milliseconds(30))
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [slow], configure: { $0.server.drainTimeout = .seconds(300) }) { mesh in
            let stream = AnalyzeStreamClient(try await mesh.connection.open(MethodPath.analyzeStream))
            let sender = Task {
                for sequence in 0..<UInt64.max {
                    try await stream.send(AnalyzeRequest(frame: mesh.frame(sequence), pipeline: "detect"))
                }
            }
            var sequences: [UInt64] = []
            var ending: RPCError?
            do {
                for try await answer in stream.answers {
                    #expect(answer.status == .ok)
                    sequences.append(answer.sequence)
                    if answer.sequence == 5 { mesh.drain() }
                }
            } catch let error as RPCError {
                ending = error
            }
            sender.cancel()
            _ = try? await sender.value
            #expect(
                ending?.code == .unavailable && ending?.message.contains("shutting down") == true, "\(ending as Any)")
            #expect(sequences == Array(0..<UInt64(sequences.count)))
            #expect(asked.withLock { $0 } == Set(sequences), "each frame that a node was asked about is answered")
        }
    }

    @Test func cancellingAStreamCancelsItsCallsToNodes() async throws {
        let (started, start) = AsyncStream<Void>.makeStream()
        let (cancelled, cancel) = AsyncStream<Void>.makeStream()
        let stuck = ScriptedNode(onDetect: { request in
            start.yield()
            do {
                try await Task.sleep(for: .seconds(30))
            } catch {
                cancel.yield()
                throw error
            }
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [stuck]) { mesh in
            let stream = AnalyzeStreamClient(try await mesh.connection.open(MethodPath.analyzeStream))
            try await stream.send(AnalyzeRequest(frame: mesh.frame(), pipeline: "detect"))
            var starts = started.makeAsyncIterator()
            await starts.next()
            stream.cancel()
            var cancellations = cancelled.makeAsyncIterator()
            await cancellations.next()
        }
    }

    @Test func nodesAreListedWithWhatTheySayOfThemselves() async throws {
        try await TestMesh.with(detectors: [ScriptedNode(), ScriptedNode()], classifiers: []) { mesh in
            _ = try await mesh.analyze("detect")
            var nodes = try await mesh.client.nodes(deadline: .after(.seconds(5)))
            for _ in 0..<100 where nodes.filter({ $0.state == "ready" }).count < 2 {
                try await Task.sleep(for: .milliseconds(20))
                nodes = try await mesh.client.nodes(deadline: .after(.seconds(5)))
            }
            #expect(nodes.map(\.role).sorted() == ["classifier", "detector", "detector"])
            let ready = nodes.filter { $0.role == "detector" }
            #expect(ready.allSatisfy { $0.state == "ready" && $0.description?.workers == 3 })
            #expect(ready.map(\.calls).reduce(0, +) == 1)
            #expect(nodes.first { $0.role == "classifier" }?.state == "connecting")
        }
    }
}
