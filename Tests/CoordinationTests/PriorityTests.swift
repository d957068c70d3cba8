import Messages
import RPC
import Services
import Synchronization
import Testing

/// What nodes are told of which frames come first.
@Suite(.timeLimit(.minutes(5))) struct PriorityTests {
    /// What a detector is told with each call; nil: nothing, which means that it is live.
    private func told(_ body: (TestMesh) async throws -> Void) async throws -> [FramePriority?] {
        let told = Mutex<[FramePriority?]>([])
        var node = ScriptedNode()
        node.onCall = { context in told.withLock { $0.append(FramePriority.told(in: context.metadata)) } }
        try await TestMesh.with(detectors: [node]) { try await body($0) }
        return told.withLock { $0 }
    }

    private func metadata(_ priority: FramePriority) -> Metadata {
        var metadata = Metadata()
        priority.tell(in: &metadata)
        return metadata
    }

    @Test func aFrameThatComesAloneIsLiveUnlessItsSenderSaysOtherwise() async throws {
        let alone = try await told { _ = try await $0.analyze("detect") }
        #expect(alone == [nil])
        let said = try await told { mesh in
            let request = AnalyzeRequest(frame: mesh.frame(), pipeline: "detect")
            _ = try await mesh.connection.unary(
                MethodPath.analyze, Payload(request),
                options: CallOptions(metadata: metadata(.batch), deadline: .after(.seconds(60))))
        }
        #expect(said == [.batch])
    }

    @Test(arguments: [(StreamPolicy.lossless, FramePriority.batch as FramePriority?), (.latest, nil), (.deadline, nil)])
    func framesOfAStreamAreWhatItsPolicySays(_ policy: StreamPolicy, _ priority: FramePriority?) async throws {
        let told = try await told { mesh in
            let answers = try await mesh.stream("detect", count: 5) {
                $0.policy = policy
                $0.frameDeadline = 60_000
            }
            #expect(answers.count == 5)
        }
        #expect(!told.isEmpty && told.allSatisfy { $0 == priority })
    }

    @Test func aStreamMaySayThatItIsLiveAllTheSame() async throws {
        let told = try await told { mesh in
            _ = try await mesh.stream("detect", count: 5, metadata: metadata(.live))
        }
        #expect(told == Array(repeating: nil, count: 5))
    }

    @Test func whatIsNoPriorityIsAsIfItWereNotThere() {
        #expect(FramePriority.told(in: ["framemesh-priority": "first"]) == nil)
        #expect(FramePriority.told(in: ["framemesh-priority": "batch"]) == .batch)
        #expect(FramePriority.told(in: [:]) == nil)
    }
}
