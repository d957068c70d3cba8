import ArgumentParser
import Bench
import Client
import Foundation
import Mesh
import Messages
import RPC
import Testing

@testable import framemesh

@Suite struct BenchPlanTests {
    private static func plan(_ arguments: String) throws -> BenchPlan {
        try BenchCommand.parse(NegativeNumbers.joined(arguments.split(separator: " ").map(String.init))).plan()
    }

    @Test func withoutWordsItIsPerfAnalyzersMethodOnTheCoordinator() throws {
        let plan = try Self.plan("--pipeline detect")
        #expect(plan.place == .coordinator && plan.load == .concurrency(Sweep(1)))
        #expect(plan.timing == BenchTiming() && plan.timing.window == .seconds(5) && plan.timing.parts == nil)
        #expect(plan.timing.rules == Steadiness.Rules() && plan.timing.rules.maxTrials == 10)
    }

    @Test func loadsAreRead() throws {
        func sweep(_ text: String) throws -> Sweep<Int> { try Sweep(parsing: text, in: 1...512) }
        #expect(try Self.plan("--concurrency 1:8:2").load == .concurrency(try sweep("1:8:2")))
        #expect(try Self.plan("--latency-limit 50").load == .search(try sweep("1:240")))
        #expect(try Self.plan("--latency-limit 50 --concurrency 2:9").load == .search(try sweep("2:9")))
        #expect(try Self.plan("--latency-limit 50 --concurrency 2").load == .concurrency(Sweep(2)))
        #expect(
            try Self.plan("--rate 10.5 --arrivals poisson --connections 3").load
                == .rates(Sweep(10.5), .poisson, connections: 3))
        #expect(try Self.plan("--stream --concurrency 2 --per-stream 3").load == .streams(Sweep(2), perStream: 3))
        #expect(try Self.plan("--streams 4 --fps 12.5").load == .cameras(Sweep(4), fps: 12.5))
        #expect(
            try Self.plan("--overload 0.5,2 --concurrency 6").load
                == .overload([0.5, 2], .constant, connections: BenchPlan.connections, concurrency: 6, cameras: nil))
    }

    /// Raised to the least there is, it would be called a thousandth of the capacity and be more.
    @Test func aMultipleOfTheCapacityIsSentAsItIsOrNotAtAll() throws {
        #expect(try BenchSession.rate(of: 2, times: 50, from: nil) == 100)
        #expect(try BenchSession.rate(of: 0.5, times: 0.25, from: 4) == 0.125)
        func trouble(_ factor: Double, _ capacity: Double, _ cameras: Int?) -> String? {
            let error = #expect(throws: Fatal.self) {
                try BenchSession.rate(of: factor, times: capacity, from: cameras)
            }
            return error?.message
        }
        #expect(
            trouble(0.001, 5, 10)
                == "0.001 times the capacity is 0.005 frames/s, which is below the limit of 0.01 of so many cameras")
        #expect(
            trouble(0.001, 0.5, nil)
                == "0.001 times the capacity is 0.0005 frames/s, which is below the limit of 0.001")
        #expect(
            trouble(100, 20_000, nil)
                == "100 times the capacity is 2000000 frames/s, which is above the limit of 1000000")
        #expect(trouble(10, 500, 4)?.hasSuffix("which is above the limit of 4000 of so many cameras") == true)
    }

    @Test func camerasTakeTheNewestFrameAndOthersAll() throws {
        #expect(try BenchCommand.parse(["--streams", "2"]).load.framePolicy == .latest)
        #expect(try BenchCommand.parse(["--streams", "2", "--policy", "lossless"]).load.framePolicy == .lossless)
        #expect(try BenchCommand.parse(["--stream"]).load.framePolicy == .lossless)
    }

    @Test func placesAreRead() throws {
        #expect(try Self.plan("--in-process --engine opencv").place == .inProcess)
        #expect(try Self.plan("--node node.example:8501").place == .node(.host("node.example", port: 8501)))
        guard case .gateway(let url) = try Self.plan("--gateway http://a:1").place else {
            Issue.record("no gateway")
            return
        }
        #expect(url.absoluteString == "http://a:1")
        #expect(throws: Never.self) { _ = try Self.plan("--gateway https://a.example/") }
        let mesh = try BenchCommand.parse(["--up", "--nodes", "3", "--workers", "2"]).place.mesh()
        #expect([mesh.both, mesh.detectors, mesh.classifiers, mesh.workers] == [3, 0, 0, 2])
        #expect(mesh.gatewayPort == nil && mesh.coordinatorPort == 0)
    }

    @Test func whatAMeshIsStartedWithIsInTheResult() throws {
        func record(_ arguments: [String]) throws -> [String: String] { try BenchCommand.parse(arguments).record }
        let usual = try record(["--up", "--config", "a.yaml"])
        #expect(usual["detectors"] == "2" && usual["classifiers"] == "1" && usual["nodes"] == "0")
        #expect(usual["config"] == "a.yaml")
        #expect(try record([])["detectors"] == nil)
        #expect(try record(["--overhead"])["nodes"] == "1")
        let names = ["FRAMEMESH_DETECTOR_MAX_BATCH_SIZE": "8", "FRAMEMESH_CLIENT_TOKEN_FILE": "t", "HOME": "/"]
        #expect(EnvironmentNames.shown(names) == ["FRAMEMESH_DETECTOR_MAX_BATCH_SIZE": "8"])
    }

    @Test func aRunOfFixedLengthHasWindowsToCompare() throws {
        let short = try #require(try Self.plan("--duration 1.5").timing.parts)
        #expect(short.count == 3 && short.length == .seconds(0.5))
        let long = try #require(try Self.plan("--duration 60").timing.parts)
        #expect(long.count == 12 && long.length == .seconds(5))
        // Three times 0.1 is more than 0.3.
        let exact = try #require(try Self.plan("--duration 0.3 --window 0.1").timing.parts)
        #expect(exact.count == 3)
        #expect(try Self.plan("--duration 1000 --window 1").timing.parts?.count == 1000)
        let disturbed = try #require(try Self.plan("--up --duration 20 --disturb kill:detector@5").timing.parts)
        #expect(disturbed.count == 20)
    }

    @Test(arguments: [
        ("--rate 5 --overload 2", "--rate and --overload exclude each other"),
        ("--rate 5 --concurrency 2", "--concurrency goes with no --rate"),
        ("--rate 5 --streams 2", "--streams goes with no --rate"),
        ("--latency-limit 5 --rate 2", "--latency-limit goes with callers"),
        ("--arrivals poisson", "--arrivals goes with --rate"), ("--fps 3", "--fps goes with --streams"),
        ("--policy latest", "--policy goes with --streams"), ("--per-stream 2", "--per-stream goes with --stream"),
        ("--streams 2 --policy deadline", "--frame-deadline-ms"), ("--streams 2 --fps 0", "--fps 0.0 is not"),
        ("--concurrency 0", "--concurrency: 0 is not between 1 and 512"), ("--concurrency 513", "--concurrency"),
        ("--rate 0", "--rate: 0.0 is not between"), ("--rate -1", "--rate: -1.0 is not between 0.001 and"),
        ("--concurrency -2:5", "--concurrency: -2 is not between 1 and 512"), ("--fps -5 --streams 2", "--fps -5.0"),
        ("--overload 2,x", "--overload '2,x'"),
        ("--overload 1e-30 --streams 1", "--overload '1e-30'"), ("--overload 2 --concurrency 4:16", "one number each"),
        ("--overload 2 --streams 2:8", "one number each"),
        ("--duration 1e-20 --window 1e-20", "--window 1e-20 is not between 0.001"),
        ("--disturb kill:detector@1 --duration 2", "--disturb of a role needs --up"),
        ("--gateway http://a:1 --top-k 3", "no --top-k"),
        ("--limit stream-attempts=2", "the limit stream-attempts is for framemesh video with a URL"),
        ("--gateway http://a:1 --limit connect-timeout=5", "--gateway and --in-process have none"),
        ("--in-process --limit connect-timeout=5", "--gateway and --in-process have none"),
        (
            "--node a:1 --limit connect-timeout=5 --limit resolve-interval=2",
            "the limit resolve-interval is for whoever"
        ),
        ("--node a:1 --limit resume-timeout=2", "calls of one --node have none of it"),
        ("--gateway http://a:1 --rate 5 --connections 2", "no --connections"),
        ("--overload 1e9", "--overload"), ("--latency-limit nan", "--latency-limit nan"),
        ("--warmup -1", "--warmup"), ("--window 0", "--window 0.0"), ("--duration nan", "--duration nan"),
        ("--stability 0", "--stability"), ("--max-trials 2", "--max-trials 2 is not between 3 and 1000"),
        ("--percentile 42", "--percentile 42"), ("--in-process --rate 5", "--in-process has threads only"),
        ("--in-process --stream", "streams go to a coordinator"),
        ("--node a:1 --streams 2", "streams go to a coordinator"),
        ("--node a:1 --gateway http://b", "--node and --gateway exclude each other"),
        ("--in-process --coordinator a:1", "--coordinator and --in-process exclude"),
        ("--engine opencv", "are for --in-process and --up"), ("--nodes 2", "--nodes is for --up"),
        ("--gateway http://a:1/foo", "--gateway 'http://a:1/foo' is not http://HOST:PORT"),
        ("--gateway http://a:1/?pipeline=x", "https://HOST:PORT, without a path"), ("--gateway http://u@a:1", "is not"),
        ("--simulate-ms 5", "--simulate-ms is for --up and --overhead"),
        ("--workers 5", "--workers is for --up and --overhead"),
        ("--gateway a:1", "--gateway 'a:1' is not http"), ("--gateway http://a:1 --size 9x9 --raw", "no raw pixels"),
        ("--disturb kill:detector@5", "--disturb needs --duration"),
        ("--up --disturb kill:detector@5 --duration 5", "at 5.0 s comes after the end: --duration 5.0"),
        ("--overhead --up", "--up and --overhead exclude each other"),
        ("--overhead --nodes 2", "--overhead starts one node"), ("--overhead --engine opencv", "are for --in-process"),
        ("--overhead --concurrency 1:4", "--overhead goes with one --concurrency or --rate"),
        ("--overhead --streams 2", "--overhead goes with one"), ("--overhead --overload 2", "--overhead goes with one"),
        ("--overhead --duration 9 --disturb run:true@1", "without --disturb"),
        ("--overhead --csv a.csv", "no --csv and --html"),
        ("--connections 4", "--connections goes with"), ("--seed 2 --rate 5", "--seed goes with --arrivals poisson"),
        ("--overload 2 --streams 2 --arrivals poisson", "--arrivals goes with"),
        ("--overload 2 --streams 2 --connections 2", "--connections goes with"),
        ("--duration 1 --window 1", "--duration 1.0 is shorter than 3 windows of --window 1.0"),
        ("--duration 1001 --window 1", "--duration 1001.0 is longer than 1000 windows of --window 1.0"),
        ("--duration 5 --max-trials 5", "--max-trials goes without --duration"),
        ("--in-process --frame-deadline-ms 50", "no --frame-deadline-ms"),
        ("--up --detectors 0 --classifiers 0", "a mesh without nodes can do nothing"),
        ("--up --tls-ca ca.pem", "--tls-ca is for a mesh that is there"), ("--up --no-tls", "--no-tls is for"),
        ("--overhead --token-file t", "--token-file is for"), ("--in-process --tls", "--tls is for"),
        ("--node a:1 --dns-server 127.0.0.1:53", "--dns-server is for whoever looks for coordinators"),
        ("--up --dns-server 127.0.0.1:53", "--dns-server is for"), ("--in-process --config a", "no --config"),
    ])
    func whatDoesNotGoTogetherIsSaid(_ arguments: String, _ words: String) {
        #expect {
            _ = try Self.plan(arguments)
        } throws: { error in
            let fatal = error as? Fatal
            return fatal?.status == .usage && fatal?.message?.contains(words) == true
        }
    }

    @Test(arguments: [
        "--concurrency 1:2", "--rate 5:10:5", "--stream --concurrency 1:2", "--streams 1:2", "--latency-limit 50",
        "--overload 2",
    ])
    func whatChangesTheMeshGoesWithOnePoint(_ load: String) throws {
        for change in ["roll:detector@1", "scale:detector:1@1"] {
            #expect {
                _ = try Self.plan("--up --duration 5 --disturb \(change) \(load)")
            } throws: { error in
                let fatal = error as? Fatal
                return fatal?.status == .usage && fatal?.message?.contains("a load of one point") == true
            }
        }
        _ = try Self.plan("--up --duration 5 --disturb kill:detector@1 \(load)")
        _ = try Self.plan("--up --duration 5 --disturb scale:detector:1@1 --concurrency 4")
    }

    @Test(arguments: [
        ("scale:node:5@1", "'scale node to 5' would do nothing at 1.0 s: --up starts 4 of that role, and 4 run then"),
        ("scale:node:4@1", "--up starts 4 of that role, and 4 run then"), ("scale:detector:1@1", "starts 0"),
        ("roll:gateway@1", "'roll gateway' would do nothing at 1.0 s: --up starts 0 of that role"),
        ("roll:detector@1", "starts 0 of that role"), ("kill:classifier@1", "'kill classifier' would do nothing"),
        // In the order of their times.
        ("scale:node:2@3 scale:node:2@2", "'scale node to 2' would do nothing at 3.0 s"),
        ("scale:node:2@3 roll:node@3", "come at the same time"),
        ("roll:node@3 scale:node:0@2", "'roll node' would do nothing at 3.0 s: --up starts 4 of that role, and 0 run"),
        ("slow:node@3 scale:node:0@2", "'slow node' would do nothing at 3.0 s"),
    ])
    func whatAMeshCannotDoIsSaidBeforeItStarts(_ disturbances: String, _ words: String) {
        #expect {
            _ = try Self.disturbed(disturbances)
        } throws: { error in
            let fatal = error as? Fatal
            return fatal?.status == .usage && fatal?.message?.contains(words) == true
        }
    }

    @Test(arguments: [
        "scale:node:0@2 scale:node:4@3 roll:node@4", "roll:coordinator@1", "kill:node@1", "scale:node:3@1 roll:node@2",
        "kill:\(getpid())@1",
    ])
    func whatAMeshCanDoIsTaken(_ disturbances: String) throws {
        #expect(try Self.disturbed(disturbances).disturbances.count == disturbances.split(separator: " ").count)
    }

    /// Four nodes for five seconds.
    private static func disturbed(_ disturbances: String) throws -> BenchPlan {
        let options = disturbances.split(separator: " ").map { "--disturb \($0)" }
        return try plan("--up --nodes 4 --duration 5 \(options.joined(separator: " "))")
    }

    @Test func commandsGoWithAMeshElsewhereToo() throws {
        func plan(_ place: [String]) throws -> BenchPlan {
            try BenchCommand.parse(place + ["--duration", "5", "--disturb", "run:kubectl x@1", "--rate", "5:10:5"])
                .plan()
        }
        #expect(try plan([]).disturbances == [try Disturbance(parsing: "run:kubectl x@1")])
        #expect(try plan(["--up"]).place == .up && plan(["--coordinator", "a:1"]).place == .coordinator)
    }

    @Test func picturesComeFromFilesOrAreMade() throws {
        func size(_ arguments: [String]) throws -> PictureSize? {
            try BenchCommand.parse(arguments).pictures.chosenSize()
        }
        #expect(try size(["--size", "320x200"]) == PictureSize("320x200"))
        #expect(try size([]) == PictureSize("640x480") && size(["--raw"]) == PictureSize("640x480"))
        #expect(try BenchCommand.parse(["--pipeline", "detect"]).record["size"] == "640x480")
        #expect(try BenchCommand.parse(["--pipeline", "detect", "--input", "a.jpg"]).record["size"] == nil)
        #expect(try size(["--input", "a.jpg", "b.jpg"]) == nil && size(["--input", "a", "--raw"]) == nil)
        #expect(try size(["--input", "a.jpg", "--size", "9x9"]) == PictureSize("9x9"))
        for wrong in [["--size", "640"], ["--size", "0x9"], ["--size", "9x9x9"], ["--size", "9000x9"]] {
            #expect(throws: Fatal.self, "\(wrong)") { try size(wrong) }
        }
    }

    @Test func whatWasAskedForIsKept() throws {
        let command = try BenchCommand.parse([
            "--pipeline", "detect", "--rate", "5", "--arrivals", "poisson", "--seed", "7", "--size", "8x8", "--raw",
            "--top-k", "3",
        ])
        let record = command.record
        #expect(record["rate"] == "5" && record["arrivals"] == "poisson" && record["size"] == "8x8")
        #expect(record["top-k"] == "3" && record["stability"] == "10.0" && record["seed"] == "7")
        #expect(record["raw"] == "yes")
        #expect(record["concurrency"] == nil)
    }

    /// Of a mesh elsewhere, of one node, and of our own.
    @Test(arguments: ["--coordinator a:1", "--node a:1", "--up", "--overhead"])
    func limitsAreThoseOfTheCallsWhereverTheyGo(_ place: String) async throws {
        let words = "\(place) --limit connect-timeout=7 --limit reconnect-awaited=3 --limit max-protobuf-depth=16"
        let command = try BenchCommand.parse(words.split(separator: " ").map(String.init))
        let plan = try command.plan()
        #expect(command.record["limit"] == "connect-timeout=7 reconnect-awaited=3 max-protobuf-depth=16")
        let calling =
            try await plan.place == .up ? command.coordinator.callingOwnMesh() : command.coordinator.place().calling
        #expect(calling.channel.client.connectTimeout == .seconds(7))
        #expect(calling.channel.reconnectWhileAwaited == .seconds(3))
        let strange = try BenchCommand.parse(["--up", "--limit", "max-connections=5"])
        let error = await #expect(throws: Fatal.self) { try await strange.coordinator.callingOwnMesh() }
        #expect(error?.status == .usage && error?.message?.contains("max-connections") == true)
    }

    @Test func partsOfAMeshOfOurOwnReadTheConfigurationThatIsNamed() throws {
        let command = try BenchCommand.parse(["--up", "--config", "a.yaml"])
        let mesh = try command.place.mesh(config: command.coordinator.config)
        let arguments = mesh.arguments(of: .coordinator, at: nil, nodes: [:])
        #expect(arguments.firstIndex(of: "--config").map { arguments[$0 + 1] } == "a.yaml")
    }

    @Test func overheadIsAMeshOfOneNodeWithoutAModel() throws {
        let command = try BenchCommand.parse(["--overhead", "--rate", "5", "--workers", "2"])
        let (plan, mesh) = (try command.plan(), try command.place.mesh())
        #expect(plan.place == .up && plan.isOverhead)
        #expect([mesh.both, mesh.detectors, mesh.classifiers, mesh.workers] == [1, 0, 0, 2] && mesh.simulateMs == 0)
        #expect(command.record["raw"] == "yes" && command.record["size"] == "128x128")
        #expect(command.record["overhead"] == "yes" && command.record["simulate-ms"] == "0.0")
        let other = try BenchCommand.parse(["--overhead", "--size", "9x8", "--simulate-ms", "3"])
        #expect(try other.place.mesh().simulateMs == 3 && other.record["size"] == "9x8")
        #expect(try other.pictures.chosenSize(usual: "1x1") == PictureSize("9x8"))
        #expect(try command.pictures.chosenSize(usual: "1x1") == PictureSize("1x1"))
    }

    @Test func comparingIsACommandOfItsOwn() throws {
        let command = try BenchCommand.parseAsRoot(["compare", "--json-lines", "a.json", "b.json"])
        let compare = try #require(command as? BenchCompareCommand)
        #expect(compare.base == "a.json" && compare.new == "b.json" && compare.jsonLines)
    }

    @Test(
        arguments: [
            ("kill:detector@10", .blow(.kill, .role(.detector)), 10), ("pause:123@0", .blow(.pause, .process(123)), 0),
            ("slow:node@1.5", .blow(.slow, .role(.node)), 1.5),
            ("roll:coordinator@2", .change(.roll(.coordinator)), 2),
            ("scale:node:3@4", .change(.scale(.node, to: 3)), 4),
            ("scale:detector:0@1", .change(.scale(.detector, to: 0)), 1),
            ("run:kubectl rollout restart deploy/a@20", .run("kubectl rollout restart deploy/a"), 20),
            ("run:ssh me@there 'echo a:b'@3.5", .run("ssh me@there 'echo a:b'"), 3.5),
        ] as [(String, Disturbance.Action, Double)])
    func disturbancesAreRead(_ text: String, _ action: Disturbance.Action, _ at: Double) throws {
        let disturbance = try Disturbance(parsing: text)
        #expect(disturbance.action == action && disturbance.at == at)
        #expect(disturbance.needsOwnMesh != (text.contains("123") || text.hasPrefix("run:")))
    }

    /// Not when its time has come.
    @Test func aProcessThatCannotBeDisturbedIsSaidAtOnce() throws {
        // A number that the kernel gives to nobody.
        let words = "--duration 5 --disturb pause:\(Int32.max)@1 --disturb kill:\(getpid())@1"
        let error = #expect(throws: Fatal.self) { try Self.plan(words) }
        #expect(error?.status == .usage)
        #expect(error?.message == "--disturb 'pause \(Int32.max)': there is no such process")
        let others = [("kill:1@1", "left alone"), ("slow:0@1", "it is no process"), ("kill:-5@1", "it is no process")]
        for (text, reason) in others {
            let error = #expect(throws: Fatal.self) { try Disturbance(parsing: text) }
            #expect(error?.message?.contains(reason) == true, "\(error?.message ?? "")")
        }
    }

    @Test(arguments: [
        "", "kill", "kill:detector", "kill:detector@", "kill:detector@-1", "kill:detector@nan",
        "stop:detector@1", "kill:everything@1", "kill:1@1", "kill:0@1", "kill:-5@1", "kill:a:b@1", "kill:node@1@2",
        "roll:7@1", "roll:node:2@1", "scale:node@1", "scale:node:-1@1", "scale:node:65@1", "scale:coordinator:2@1",
        "scale:7:2@1", "run@1", "run:@1", "run: @1", "run:true", "run:true@x", "run:me@there",
    ])
    func whatIsNoDisturbanceIsSaid(_ text: String) {
        #expect(throws: Fatal.self) { try Disturbance(parsing: text) }
    }
}
