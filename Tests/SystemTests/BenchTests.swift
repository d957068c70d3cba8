import Foundation
import TestSupport
import Testing

/// `framemesh bench` against meshes of real processes.
@Suite(.timeLimit(.minutes(15))) struct BenchTests {
    private struct Report: Decodable {
        struct Point: Decodable {
            struct Load: Decodable {
                var kind: String
                var callers: Int
                var rate: Double?
                var factor: Double?
            }
            struct Process: Decodable { var name: String }
            struct Disturbance: Decodable { var text: String }
            var load: Load
            var answered, ok, failed, dropped, out_of_order: Int
            var client_ms: [String: Double]?
            var server_ms: [String: Double]?
            var stages_mean_ms: [String: Double]
            var processes: [Process]
            var disturbances: [Disturbance]
        }
        struct Environment: Decodable {
            var version: String
            var compilers: [String]
        }
        var mode: String
        var environment: Environment
        var versions: [String: [String]]?
        var points: [Point]
        var capacity: Double?
        var best_concurrency: Int?
    }

    private static let quick = ["--warmup", "0", "--duration", "1.5"]
    private static let picture = ["--input", Place.demo.appending(path: "numbers-01.jpg").path]

    private static func bench(_ arguments: [String], code: Int32 = 0) async throws -> Report {
        let result = try await Command.run(["bench", "--json", "-"] + arguments, within: .seconds(300))
        guard result.code == code else { throw Failure("code \(result.code): \(result.errors)") }
        #expect(result.lines.count == 1)
        return try JSONDecoder().decode(Report.self, from: Data((result.lines.first ?? "").utf8))
    }

    @Test func coordinatorsNodesAndGatewaysAreMeasuredByEachLoad() async throws {
        let mesh = try await LocalMesh.up(extra: ["--gateway-port", "0"])
        try await LocalMesh.with(mesh) { mesh in
            let gateway = try await mesh.command.line(startingWith: "ready gateway=")
            let at = ["--coordinator", mesh.coordinator, "--pipeline", "detect"] + Self.quick + Self.picture

            let closed = try await Self.bench(at + ["--concurrency", "1:3:2", "--pid", "\(mesh.command.pid)"])
            #expect(closed.mode == "mesh" && closed.points.map(\.load.callers) == [1, 3])
            for point in closed.points {
                #expect(point.ok > 0 && point.ok == point.answered && point.failed == 0)
                #expect(Set(try #require(point.client_ms).keys) == ["send", "wait", "receive"])
                let server = try #require(point.server_ms), total = try #require(point.stages_mean_ms["total"])
                // Of the detector alone, so that its steps are in the fan-out.
                let steps = try ["decode", "preprocess", "infer", "postprocess", "network"].map {
                    try #require(server[$0])
                }
                let fanOut = try #require(server["fan_out"]), merge = try #require(server["merge"])
                #expect(steps.allSatisfy { $0 >= 0 } && server["infer"] ?? 0 > 0)
                #expect(steps.reduce(0, +) <= fanOut * (1 + 1e-9) && fanOut + merge <= total * (1 + 1e-9))
                let names = point.processes.map(\.name)
                #expect(Set(names).isSuperset(of: ["bench", "up", "coordinator", "detector", "classifier", "gateway"]))
            }

            let open = try await Self.bench(at + ["--rate", "20", "--arrivals", "poisson"])
            #expect(open.points.count == 1 && open.points[0].load.rate == 20 && open.points[0].failed == 0)
            #expect(open.points[0].ok > 0 && open.points[0].ok < 100)

            let cameras = try await Self.bench(at + ["--streams", "2", "--fps", "10"])
            #expect(cameras.points[0].load.kind == "cameras" && cameras.points[0].answered > 0)
            #expect(cameras.points[0].out_of_order == 0 && cameras.points[0].failed == 0)

            let search = try await Self.bench(at + ["--concurrency", "1:4", "--latency-limit", "60000"])
            #expect(search.best_concurrency == 4 && search.points.map(\.load.callers) == [1, 2, 4])

            let overload = try await Self.bench(at + ["--overload", "0.5,3", "--concurrency", "4"])
            #expect(overload.capacity ?? 0 > 0 && overload.points.map(\.load.factor) == [nil, 0.5, 3])

            let http = try await Self.bench(
                ["--gateway", String(gateway), "--pipeline", "detect"] + Self.quick + Self.picture)
            let unknown = try await Command.run(
                ["bench", "--gateway", String(gateway), "--pipeline", "detetc"] + Self.quick + Self.picture)
            #expect(unknown.code == 2 && unknown.errors.contains("unknown pipeline 'detetc'"), "\(unknown.errors)")
            // As the mesh says them, and the gateway of itself and of what is behind it.
            let own = [closed.environment.version]
            #expect(closed.versions == ["coordinator": own, "detector": own, "classifier": own])
            #expect(http.versions == ["gateway": own, "detector": own, "classifier": own])
            #expect(closed.environment.compilers.count == 2, "\(closed.environment)")
            #expect(closed.environment.compilers.last?.contains("Clang ") == true, "\(closed.environment)")
            #expect(http.mode == "gateway" && http.points[0].ok > 0 && http.points[0].failed == 0)
            #expect(http.points[0].stages_mean_ms["gateway.total"] != nil)
            let told = try #require(http.points[0].server_ms)
            #expect(told["fan_out"] ?? 0 > 0 && told["merge"] != nil)
        }
    }

    @Test func aNodeIsMeasuredByItself() async throws {
        let node = try Command(["node", "--listen", "127.0.0.1:0"])
        do {
            let address = try await node.line(startingWith: "ready ")
            for pipeline in ["detect", "classify", "detect+classify", "cascade"] {
                let report = try await Self.bench(
                    ["--node", String(address), "--pipeline", pipeline] + Self.quick + Self.picture)
                #expect(report.versions == ["node": [report.environment.version]])
                #expect(report.mode == "node" && report.points[0].ok > 0 && report.points[0].failed == 0, "\(pipeline)")
                let server = try #require(report.points[0].server_ms)
                #expect(server["infer"] ?? 0 > 0 && server["fan_out"] == nil && server["merge"] == nil)
            }
        } catch {
            node.signal(SIGKILL)
            throw error
        }
        node.signal(SIGTERM)
        #expect(try await node.finish(within: .seconds(120)).code == 0)
    }

    @Test func aMeshOfItsOwnIsDisturbedAndReportsAreWritten() async throws {
        let folder = try Place.temporary("bench")
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String) -> String { folder.appending(path: name).path }
        let mark = EnvironmentMark()
        let result = try await Command.run(
            [
                "bench", "--up", "--detectors", "2", "--classifiers", "0", "--pipeline", "detect", "--concurrency", "4",
                "--size", "64x48", "--warmup", "0", "--duration", "6", "--disturb", "kill:detector@2", "--json",
                file("a.json"), "--csv", file("a.csv"), "--html", file("a.html"),
            ], environment: mark.environment)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("kill detector (process ") && result.output.contains("before it"))
        #expect(ProcessTable.marked(mark).isEmpty)
        let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(fileURLWithPath: file("a.json"))))
        #expect(report.points[0].disturbances.count == 1 && report.points[0].ok > 0)
        #expect(try String(contentsOfFile: file("a.csv"), encoding: .utf8).split(separator: "\n").count == 2)
        #expect(try String(contentsOfFile: file("a.html"), encoding: .utf8).contains("kill detector"))

        let same = try await Command.run(["bench", "compare", file("a.json"), file("a.json")])
        #expect(same.code == 0 && same.output.contains("no difference") && !same.output.contains("better"))
    }

    /// Nobody else would let it.
    @Test func whatStandsStillGoesOnWhenBenchIsKilled() async throws {
        let victim = try ChildProcess(URL(fileURLWithPath: "/bin/sleep"), ["3000"])
        defer { victim.signal(SIGKILL) }
        func stands() -> Bool { ProcessTable.all().contains { $0.pid == victim.pid && $0.state == "T" } }
        // Several, as one may be over before it is seen.
        let pauses = (0..<20).flatMap { ["--disturb", "pause:\(victim.pid)@\($0 * 6)"] }
        let load = ["--in-process", "--pipeline", "classify", "--size", "32x32", "--warmup", "0", "--duration", "600"]
        let run = try Command(["bench"] + load + pauses)
        while !stands(), run.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        #expect(run.isRunning)
        run.signal(SIGKILL)
        _ = try await run.finish()
        while stands() { try await Task.sleep(for: .milliseconds(5)) }
        #expect(victim.isRunning)
    }

    /// Under load all nodes are started anew, some go, and come back; no frame is lost.
    @Test func aMeshOfItsOwnIsRolledAndScaled() async throws {
        let mark = EnvironmentMark()
        let result = try await Command.run(
            [
                "bench", "--up", "--nodes", "3", "--workers", "1", "--simulate-ms", "5", "--pipeline", "detect",
                "--size",
                "64x48", "--raw", "--concurrency", "6", "--warmup", "0", "--duration", "16", "--disturb", "roll:node@1",
                "--disturb", "scale:node:1@8", "--disturb", "scale:node:2@11", "--json", "-",
            ], environment: mark.environment, within: .seconds(300))
        #expect(result.code == 0, "\(result.errors)")
        #expect(ProcessTable.marked(mark).isEmpty)
        let point = try #require(
            try JSONDecoder().decode(Report.self, from: Data((result.lines.first ?? "").utf8)).points.first)
        #expect(point.disturbances.map(\.text) == ["roll node", "scale node to 1", "scale node to 2"])
        #expect(point.ok > 0 && point.ok == point.answered && point.failed == 0 && point.dropped == 0)
        // Those that were ended took their time, too: three, their three successors, and the one that came back.
        #expect(point.processes.count { $0.name == "node" } == 7)
        for node in 1...3 {
            let said = result.errorLines.filter { $0.contains("mesh | node-\(node) ") }
            // Once each in the roll; the second one is scaled away and comes back, the third goes for good.
            #expect(said.count { $0.contains("as it was told to; it is started anew") } == 1, "\(said)")
            #expect(said.count { $0.hasSuffix("as it was told to") } == (node == 1 ? 0 : 1), "\(said)")
            #expect(said.count { $0.contains("serves again") } == (node == 2 ? 2 : 1), "\(said)")
            #expect(!said.contains { $0.contains("it is started again in") || $0.contains("signal") }, "\(said)")
        }
    }

    /// A pass takes its time however many nodes share the cores, and nothing is computed.
    @Test func nodesCanBeSimulated() async throws {
        let report = try await Self.bench(
            [
                "--up", "--nodes", "6", "--workers", "1", "--simulate-ms", "20", "--pipeline", "detect", "--size",
                "32x32", "--raw", "--concurrency", "6",
            ] + Self.quick)
        let point = try #require(report.points.first)
        #expect(point.ok > 0 && point.failed == 0)
        #expect(point.stages_mean_ms["detect.infer"] ?? 0 >= 20)
        #expect(point.processes.count { $0.name == "node" } == 6)
    }

    @Test func whatACoordinatorCostsIsMeasured() async throws {
        let folder = try Place.temporary("bench")
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "a.json")
        let mark = EnvironmentMark()
        let result = try await Command.run(
            ["bench", "--overhead", "--pipeline", "detect", "--concurrency", "2", "--json", file.path] + Self.quick,
            environment: mark.environment, within: .seconds(300))
        #expect(result.code == 0, "\(result.errors)")
        #expect(ProcessTable.marked(mark).isEmpty)
        let reports = try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Report.self, from: $0)
        }
        #expect(reports.map(\.mode) == ["node", "mesh"])
        for report in reports {
            let point = try #require(report.points.first)
            #expect(point.ok > 0 && point.failed == 0)
            #expect(Set(point.processes.map(\.name)).isSuperset(of: ["bench", "coordinator", "node"]))
        }
        for line in ["the node directly ", "through the coordinator ", "more "] {
            #expect(result.lines.contains { $0.hasPrefix(line) }, "\(result.output)")
        }
    }

    @Test func thisProcessDoesTheSameWork() async throws {
        let report = try await Self.bench(
            ["--in-process", "--pipeline", "detect+classify", "--concurrency", "1:2"] + Self.quick + Self.picture)
        #expect(report.mode == "in-process" && report.points.map(\.load.callers) == [1, 2])
        #expect(report.points.allSatisfy { $0.ok > 0 && $0.failed == 0 })
    }

    /// A point of zeros would be taken for what the mesh can do.
    @Test func aRunThatIsEndedInItsWarmUpWritesNothing() async throws {
        let folder = try Place.temporary("bench")
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["json", "csv", "html"].map { (flag: "--\($0)", path: folder.appending(path: "a.\($0)").path) }
        let mesh = try await LocalMesh.up(classifiers: 0)
        try await LocalMesh.with(mesh) { mesh in
            let run = try Command(
                ["bench", "--coordinator", mesh.coordinator, "--pipeline", "detect", "--warmup", "600"] + Self.picture
                    + files.flatMap { [$0.flag, $0.path] })
            try await mesh.untilDetectorsAreBusy()
            run.signal(SIGINT)
            let result = try await run.finish()
            #expect(result.code == 130 && result.output.isEmpty, "\(result.output)")
            #expect(result.errorLines.contains { $0.hasPrefix("nothing was measured") }, "\(result.errors)")
        }
        #expect(files.allSatisfy { !FileManager.default.fileExists(atPath: $0.path) })
    }

    /// No answer of the mesh that was started for this is as short as that.
    @Test(arguments: ["--up", "--overhead"])
    func limitsCountOnAMeshOfItsOwn(_ place: String) async throws {
        let mark = EnvironmentMark()
        let nodes = place == "--up" ? ["--nodes", "1", "--simulate-ms", "1", "--size", "32x32"] : []
        let result = try await Command.run(
            ["bench", place, "--pipeline", "detect", "--limit", "max-message-bytes=1"] + nodes + Self.quick,
            environment: mark.environment, within: .seconds(300))
        #expect(result.code != 0 && result.errors.contains("limit 1"), "\(result.code): \(result.errors)")
        #expect(ProcessTable.marked(mark).isEmpty)
    }

    /// One line and exit code 2, before anything is measured.
    @Test(arguments: [
        (["--rate", "-1", "--size", "9x9"], "--rate: -1.0 is not between"),
        (["--size", "9x9", "--json", "-", "--csv", "-"], "--json and --csv both write to standard output"),
        (["--input", Place.demo.appending(path: "digits.mp4").path], "digits.mp4: is a video"),
        (["--size", "9x9", "--duration", "9", "--disturb", "kill:1@1"], "left alone"),
        (["--size", "9x9", "--duration", "9", "--disturb", "pause:2147483647@1"], "there is no such process"),
    ])
    func whatCannotBeMeasuredIsSaidAtOnce(_ arguments: [String], _ words: String) async throws {
        let result = try await Command.run(["bench", "--up", "--pipeline", "detect"] + arguments)
        #expect(result.code == 2 && result.errorLines.count == 1 && result.errors.contains(words), "\(result.errors)")
    }

    /// What cannot be done is not measured, and what is done in part is no success.
    @Test(
        arguments: [
            ("classify", 2, "no node of the mesh is ready for classify"),
            ("detect+classify", 1, " partial: classify is missing"),
        ] as [(String, Int32, String)])
    func aStageWithoutANodeIsSaid(_ pipeline: String, _ code: Int32, _ words: String) async throws {
        let result = try await Command.run(
            [
                "bench", "--up", "--detectors", "1", "--classifiers", "0", "--simulate-ms", "1", "--size", "32x32",
                "--pipeline", pipeline,
            ] + Self.quick, within: .seconds(300))
        #expect(result.code == code, "\(result.errors)")
        #expect((code == 1 ? result.output : result.errors).contains(words), "\(result.output)\(result.errors)")
        #expect(code == 1 || result.output.isEmpty)
    }

    @Test func anOptionThatCompareHasNotIsRefused() async throws {
        let result = try await Command.run(["bench", "compare", "--html", "d.html", "a.json", "b.json"])
        #expect(result.code == 2 && result.errors.contains("bench compare has no option --html"), "\(result.errors)")
    }

    @Test func whoIsNotThereIsSaid() async throws {
        for arguments in [
            ["--coordinator", "127.0.0.1:1"], ["--node", "127.0.0.1:1"], ["--gateway", "http://127.0.0.1:1"],
        ] {
            let result = try await Command.run(["bench", "--pipeline", "detect"] + arguments + Self.picture)
            #expect(result.code == 3 && result.errorLines.count == 1, "\(arguments): \(result.code) \(result.errors)")
        }
    }
}
