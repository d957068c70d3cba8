import Messages
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

/// The frames of a stream from its first to its end.
extension CoordinatorTests {
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
}
