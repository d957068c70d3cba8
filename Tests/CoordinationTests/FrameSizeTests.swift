import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Coordination

/// Large frames: what they hold while they are here, and what is too large for any node.
@Suite struct FrameSizeTests {
    private static let frameBytes = 64 << 10

    @Test(arguments: StreamPolicy.allCases)
    func framesHoldTheirMemoryUntilTheyAreAnsweredAndNoLonger(_ policy: StreamPolicy) async throws {
        let budget = MemoryBudget(limit: 3 * Self.frameBytes + Self.frameBytes / 2)
        let counts = Mutex((running: 0, most: 0, unreserved: 0))
        let node = ScriptedNode(onDetect: { request in
            counts.withLock {
                $0.running += 1
                $0.most = max($0.most, $0.running)
                if budget.used < $0.running * Self.frameBytes { $0.unreserved += 1 }
            }
            try await Task.sleep(for: .milliseconds(3))
            counts.withLock { $0.running -= 1 }
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [node], budget: budget) { mesh in
            let answers = try await mesh.stream("detect", count: 100) {
                $0.policy = policy
                $0.frameDeadline = 30_000
                $0.frame.payload = .attached(ByteBuffer(repeating: 7, count: Self.frameBytes))
            }
            #expect(answers.map(\.sequence) == Array(0..<100))
            #expect(answers.allSatisfy { $0.status == .ok || (policy == .latest && $0.status == .dropped) })
            let (_, most, unreserved) = counts.withLock { $0 }
            #expect((1...3).contains(most), "the budget has room for three")
            #expect(unreserved == 0)
        }
        #expect(budget.used == 0)
    }

    @Test func aStreamDoesNotHoldAFrameThatIsAnswered() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        try await TestMesh.with(budget: budget) { mesh in
            let stream = AnalyzeStreamClient(try await mesh.connection.open(MethodPath.analyzeStream))
            var answers = stream.answers.makeAsyncIterator()
            for sequence in 0..<3 as Range<UInt64> {
                var frame = mesh.frame(sequence)
                frame.payload = .attached(ByteBuffer(repeating: 7, count: Self.frameBytes))
                try await stream.send(AnalyzeRequest(frame: frame, pipeline: "detect"))
                #expect(try await answers.next()?.sequence == sequence)
                // The answer may be faster than the end of the frame's task.
                for _ in 0..<1000 where budget.used > 0 { try await Task.sleep(for: .milliseconds(2)) }
                #expect(budget.used == 0)
            }
            stream.finishSending()
        }
    }

    @Test func pixelsThatNoNodeTakesAreRefusedWithBothNumbers() async throws {
        let asked = Mutex(0)
        let node = ScriptedNode(onDetect: { request in
            asked.withLock { $0 += 1 }
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [node], configure: { $0.maxPixelBytes = 1000 }) { mesh in
            let error = await #expect(throws: RPCError.self) {
                try await mesh.analyze("detect") { $0.frame.payload = .attached(ByteBuffer(repeating: 7, count: 1001)) }
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("1001") == true && error?.message.contains("1000") == true)
            #expect(asked.withLock { $0 } == 0)
            let answers = try await mesh.stream("detect", count: 3) {
                let bytes = $0.frame.sequence == 1 ? 1001 : 1000
                $0.frame.payload = .attached(ByteBuffer(repeating: 7, count: bytes))
            }
            #expect(answers.map(\.status) == [.ok, .error, .ok])
            #expect(answers[1].code == StatusCode.invalidArgument.rawValue)
            #expect(asked.withLock { $0 } == 2)
        }
    }

    @Test func boxesForTheTrackerAloneAreNotClassified() async throws {
        let regions = Mutex<[Int]>([])
        let detector = ScriptedNode(onDetect: { request in
            .found([.digit(at: 10), .digit(at: 300, confidence: 0.12)], in: request.frame)
        })
        var classifier = ScriptedNode()
        let classify = classifier.onClassify
        classifier.onClassify = { request in
            regions.withLock { $0.append(request.regions.count) }
            return try await classify(request)
        }
        try await TestMesh.with(detectors: [detector], classifiers: [classifier]) { mesh in
            let answers = try await mesh.stream("cascade+track", count: 4)
            #expect(answers.allSatisfy { $0.detections.map { $0.classes.first?.label } == ["at 10"] })
            #expect(regions.withLock { $0 } == [1, 1, 1, 1])
        }
    }
}
