import Messages
import RPC
import Services
import Testing

@testable import Coordination

/// What pipelines answer, and what is known of the nodes.
@Suite struct CoordinatorTests {
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
}
