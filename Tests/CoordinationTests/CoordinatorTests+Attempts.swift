import Messages
import RPC
import Synchronization
import Testing

/// Frames that fail, go to another node, or wait for one.
extension CoordinatorTests {
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
}
