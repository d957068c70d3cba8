import Foundation
import Messages
import TestSupport
import Testing

/// Nodes that do both stages, as processes: the same answers as of detectors and classifiers, and no frame lost with one.
@Suite(.serialized) struct FusionTests {
    private struct Seen: Equatable {
        var source: String
        var status: String
        var boxes: [[Float]]
        var labels: [[String]]
        var confidences: [[Float]]

        init(_ answer: AnswerLine) {
            source = answer.source
            status = answer.status
            let found = answer.detections ?? []
            boxes = found.map { [$0.box.x, $0.box.y, $0.box.width, $0.box.height] }
            let classes = found.map { $0.classes ?? [] } + [answer.classes ?? []]
            labels = classes.map { $0.map(\.label) } + [found.map(\.label)]
            confidences = classes.map { $0.map(\.confidence) } + [found.map(\.confidence)]
        }
    }

    private static func answers(
        _ mesh: LocalMesh, _ pipeline: String, isFused: Bool, _ extra: [String] = []
    ) async throws -> [Seen] {
        let result = try await mesh.send(pipeline, [Place.demo.path], extra)
        #expect(result.code == 0, "\(result.errors)")
        let answers = try AnswerLine.all(result)
        for answer in answers {
            let stages = Set(answer.timing_ms?.keys.map { $0 } ?? [])
            #expect(stages.contains("node.decode") == isFused && stages.contains("detect.decode") == !isFused)
            #expect(stages.contains("detect.infer"))
        }
        return answers.map(Seen.init)
    }

    @Test func oneNodeAnswersAsTwoDo() async throws {
        let apart = try await LocalMesh.up()
        var wanted: [String: [Seen]] = [:]
        try await LocalMesh.with(apart) { mesh in
            for pipeline in ["detect+classify", "cascade"] {
                wanted[pipeline] = try await Self.answers(mesh, pipeline, isFused: false)
            }
        }
        let fused = try await LocalMesh.up(detectors: 0, classifiers: 0, extra: ["--nodes", "1"])
        try await LocalMesh.with(fused) { mesh in
            for pipeline in ["detect+classify", "cascade"] {
                let got = try await Self.answers(mesh, pipeline, isFused: true)
                #expect(got == wanted[pipeline])
                #expect(got.contains { !$0.boxes.isEmpty })
            }
            let one = try await mesh.send("detect", [Place.demo.path])
            #expect(one.code == 0, "\(one.errors)")
        }
    }

    @Test func framesOfANodeThatIsKilledAreAnsweredByOthers() async throws {
        // On a slow machine the load may be over before the node is killed.
        for duration in [8, 60] {
            if try await Self.isKilledUnderLoad(for: duration) { return }
        }
        throw Failure("the load was over when the node was killed")
    }

    /// - Returns: false: the load was over too soon, and nothing was seen.
    private static func isKilledUnderLoad(for duration: Int) async throws -> Bool {
        let mesh = try await LocalMesh.up(extra: ["--nodes", "1"])
        return try await LocalMesh.with(mesh) { mesh in
            let bench = try Command([
                "bench", "--coordinator", mesh.coordinator, "--pipeline", "cascade", "--concurrency", "4",
                "--warmup", "0", "--duration", "\(duration)", "--json", "-", "--input", Place.demo.path,
            ])
            let node = try #require(ProcessTable.child(of: mesh.command.pid, role: "node").first)
            let isAtWork = try await Self.haveCalls("node", mesh, while: bench)
            kill(node, SIGKILL)
            // What comes now has nowhere else to go.
            guard isAtWork, try await Self.haveCalls("detector", mesh, while: bench), bench.isRunning else {
                _ = try await bench.finish(within: .seconds(180))
                return false
            }
            let result = try await bench.finish(within: .seconds(180))
            struct Report: Decodable {
                struct Point: Decodable {
                    var answered, ok, partial, failed: Int
                    var stages_mean_ms: [String: Double]
                }
                var points: [Point]
            }
            let all = try JSONDecoder().decode(Report.self, from: Data((result.lines.first ?? "").utf8))
            let report = try #require(all.points.first)
            #expect(result.code == 0, "\(result.errors)")
            #expect(report.ok == report.answered && report.partial == 0 && report.failed == 0)
            #expect(report.stages_mean_ms["node.decode"] != nil && report.stages_mean_ms["detect.decode"] != nil)
            return true
        }
    }

    /// Waits until nodes of a role have calls.
    /// - Returns: false: the load was over before.
    private static func haveCalls(_ role: String, _ mesh: LocalMesh, while bench: Command) async throws -> Bool {
        struct Node: Decodable {
            var role: String
            var outstanding: Int
        }
        while bench.isRunning {
            let result = try await Command.run(["nodes", "--coordinator", mesh.coordinator, "--json"])
            let nodes = try result.lines.map { try JSONDecoder().decode(Node.self, from: Data($0.utf8)) }
            if nodes.contains(where: { $0.role == role && $0.outstanding > 0 }) { return true }
        }
        return false
    }
}
