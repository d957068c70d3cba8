import Messages
import NIOCore
import RPC
import Services
import Testing

@testable import Coordination

/// What callers may not ask for.
extension CoordinatorTests {
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

    @Test func moreClassesThanAnAnswerHasAreRefused() async throws {
        let most = Classification.maxPerAnswer / Pipeline.maxCascadeBoxes
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

    @Test func framesOfAnotherPipelineAreRefusedAlone() async throws {
        try await TestMesh.with { mesh in
            let answers = try await mesh.stream("detect", count: 4) {
                if $0.frame.sequence == 2 { $0.pipeline = "classify" }
                if $0.frame.sequence == 3 { $0.pipeline = "" }
            }
            #expect(answers.map(\.status) == [.ok, .ok, .error, .ok])
            #expect(answers[2].cause.contains("classify"))
            #expect(answers[2].timing.map(\.stage) == ["total", "coordinator.turn"])
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
}
