import ArgumentParser
import Coordination
import Foundation
import NIOCore
import NIOPosix
import RPC
import Telemetry
import Testing

@testable import framemesh

@Suite struct CommandTests {
    @Test func everyCommandHasHelpWithAnExample() {
        for command in Framemesh.configuration.subcommands {
            let name = command.configuration.commandName ?? command._commandName
            let help = Framemesh.helpMessage(for: command)
            #expect(help.contains("framemesh \(name)"), "\(name)")
            #expect(command.configuration.abstract.hasSuffix("."), "\(name)")
        }
    }

    /// The command itself, and those below it.
    private static func all(_ command: any ParsableCommand.Type = Framemesh.self) -> [any ParsableCommand.Type] {
        [command] + command.configuration.subcommands.flatMap { all($0) }
    }

    /// An example that is wrapped by the help's width cannot be pasted.
    @Test func examplesFitIntoALineOrAreContinued() {
        #expect(Self.all().count > 12)
        for command in Self.all() {
            var isContinued = false
            for line in command.configuration.discussion.split(separator: "\n") {
                if line.hasPrefix("  ") {
                    #expect(line.count <= 80, "\(line)")
                    #expect(line.hasPrefix("    ") == isContinued, "\(line)")
                }
                isContinued = line.hasSuffix("\\")
            }
        }
    }

    @Test func theDefaultPolicyIsCalledByItsName() {
        let help = VideoCommand.helpMessage(columns: 200)
        #expect(help.contains("(default: lossless; of live sources latest)") && !help.contains("default: 0"))
        #expect(help.contains("(values: lossless, latest, deadline)"))
    }

    @Test(arguments: [
        (["snd"], "unknown command 'snd', did you mean 'send'?"),
        (["models", "lst"], "unknown command 'lst', did you mean 'list'?"),
        (["help", "vdeo"], "unknown command 'vdeo', did you mean 'video'?"),
        (["help", "models", "pul"], "unknown command 'pul', did you mean 'pull'?"),
        (["models", "something"], "unknown command 'something'; there are list, check, pull"),
    ])
    func aMisspeltCommandIsNamedWithTheNearestOne(_ arguments: [String], _ objection: String) {
        #expect(CommandWords.objection(to: arguments, of: Framemesh.self) == objection)
    }

    @Test(arguments: [[], ["--help"], ["help"], ["help", "send"], ["top"], ["send", "snd"], ["models", "list", "x"]])
    func commandsThatThereAreAreLeftToTheParser(_ arguments: [String]) {
        #expect(CommandWords.objection(to: arguments, of: Framemesh.self) == nil)
    }

    @Test func aPipelineThatIsMissingHidesNoOtherMistake() throws {
        #expect {
            try SendCommand.parse(["--pipline", "detect", "a.jpg"])
        } throws: {
            SendCommand.message(for: $0).contains("--pipline")
        }
        let command = try SendCommand.parse(["a.jpg"])
        let error = #expect(throws: Fatal.self) { try command.analyze.options() }
        #expect(error?.status == .usage && error?.message?.hasPrefix("--pipeline is missing") == true)
    }

    @Test(arguments: [["--max-frames", "-1"], ["--max-frames=-1"], ["--max-frames", "0"], ["--max-frames", "x"]])
    func aNumberOfFramesIsAboveZero(_ option: [String]) throws {
        #expect {
            try VideoCommand.parse(NegativeNumbers.joined(option + ["a.mp4"]))
        } throws: {
            let message = VideoCommand.message(for: $0)
            return option.last == "x"
                ? message.contains("'x' is invalid for '--max-frames <n>'")
                : message.hasPrefix("--max-frames is ") && message.hasSuffix(", it must be at least 1")
        }
        #expect(try VideoCommand.parse(["--max-frames", "1", "a.mp4"]).file == "a.mp4")
    }

    @Test(
        arguments: [
            (["--rate", "-1", "--up"], ["--rate=-1", "--up"]), (["a", "--rate", "-.5:2"], ["a", "--rate=-.5:2"]),
            (["--fps", "-inf"], ["--fps=-inf"]), (["--rate=1", "-1"], ["--rate=1", "-1"]),
            (["--json", "-"], ["--json", "-"]), (["--rate", "-x"], ["--rate", "-x"]),
            (["--rate", "--up"], ["--rate", "--up"]), (["-1"], ["-1"]), (["a", "-1"], ["a", "-1"]),
            (["--", "-1"], ["--", "-1"]), (["--", "--a", "-1"], ["--", "--a", "-1"]),
            (["--a", "-1", "-2"], ["--a=-1", "-2"]), ([], []),
        ] as [([String], [String])])
    func aNumberBelowZeroIsTheValueOfTheOptionBeforeIt(_ arguments: [String], _ words: [String]) {
        #expect(NegativeNumbers.joined(arguments) == words)
    }

    @Test(arguments: [
        (["--detectors", "-1"], "--detectors is -1"), (["--workers", "-7"], "--workers is -7"),
        (["--drain-timeout", "-0.5"], "--drain-timeout is -0.5"),
    ])
    func numbersBelowZeroAreToldByTheirOption(_ arguments: [String], _ words: String) async throws {
        let command = try Up.parse(NegativeNumbers.joined(arguments))
        let error = await #expect(throws: Fatal.self) {
            try command.plan(try await Settings.load(nil, environment: [:]))
        }
        #expect(error?.status == .usage && error?.message?.hasPrefix(words) == true, "\(error?.message ?? "")")
    }

    @Test func onlyMP4IsAskedForWhereVideoIsWritten() {
        for name in ["a.mp4", "x/a.MP4", "a.m4v", "a"] { #expect(VideoOutput.isNamedAsWritten(name), "\(name)") }
        for name in ["a.avi", "a.mkv", "a.mp4.webm", "a.jpg"] {
            #expect(!VideoOutput.isNamedAsWritten(name), "\(name)")
        }
    }

    @Test func filesThatAreNotThereAreToldAtOnce() throws {
        let here = #filePath
        try InputFile.check([here])
        try InputFile.check([.file(here), .standardInput])
        let error = #expect(throws: Fatal.self) { try InputFile.check([here, "/no/a.jpg", "/no/b.jpg"]) }
        #expect(
            error?.message == "cannot read /no/a.jpg: no such file or directory (and 1 more file); nothing was sent")
        #expect(error?.status == .usage)
    }

    @Test func aPictureInPlaceOfAVideoIsSentElsewhere() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "input-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String) throws -> VideoInput {
            let path = folder.appending(path: name).path
            try Data([0xFF, 0xD8, 0xFF, 0xE0]).write(to: URL(fileURLWithPath: path))
            return try VideoInput(path)
        }
        let error = #expect(throws: Fatal.self) { try InputFile.check(isVideo: file("a.jpg")) }
        #expect(error?.status == .usage && error?.message?.contains("a.jpg is a picture: `framemesh send`") == true)
        // JPEGs one behind the other.
        try InputFile.check(isVideo: file("a.mjpeg"))
        try InputFile.check(isVideo: VideoInput(#filePath))
        try InputFile.check(isVideo: VideoInput(folder.path))
    }

    @Test(arguments: ["rtsp://cam.example/live", "https://example.org/cat.jpg", "ftp://example.org/a"])
    func picturesAreNotSentByURL(_ url: String) async throws {
        let command = try SendCommand.parse(["--pipeline", "detect", url])
        let error = await #expect(throws: Fatal.self) { try await command.run() }
        #expect(error?.status == .usage && error?.message?.contains("`framemesh video`") == true)
    }

    @Test func aTakenPortIsToldAndAFreeOneIsNot() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: MeshPlan.host, port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let error = await #expect(throws: Fatal.self) { try await FreePort.check(port) }
        #expect(error?.message == "cannot listen on 127.0.0.1:\(port): address already in use")
        #expect(error?.status == .unreachable)
        try await listener.close()
        try await FreePort.check(0)
    }

    @Test func soIsOneForMetrics() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: MeshPlan.host, port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let place = try MetricsPlace(parsing: "\(MeshPlan.host):\(port)")
        let error = await #expect(throws: Fatal.self) {
            try await MetricsPlace.serving(PrometheusMetrics(), at: place) {}
        }
        #expect(error?.message == "cannot listen on \(place) for metrics: address already in use")
        #expect(error?.status == .unreachable)
        try await listener.close()
    }

    @Test func oneThingIsNotCalledMany() {
        #expect(Count.of(0, "frame") == "0 frames")
        #expect(Count.of(1, "frame") == "1 frame")
        #expect(Count.of(2, "frame") == "2 frames")
    }

    @Test func aCoordinatorThatWasToldOfNoNodesSaysWhatItCannotDo() {
        let all = Pipeline.builtIn
        #expect(UnnamedNodes(detectors: false, classifiers: false).warnings(all).isEmpty)
        #expect(UnnamedNodes(detectors: true, classifiers: true).warnings(all).first?.contains("every frame") == true)
        #expect(
            UnnamedNodes(detectors: false, classifiers: true).warnings(all).first?.hasPrefix(
                "no --classifiers: frames of classify will fail, those of detect+classify, cascade, cascade+track "
                    + "will be partial") == true)
        #expect(
            UnnamedNodes(detectors: true, classifiers: false).warnings(all).first?.hasPrefix(
                "no --detectors: frames of detect, cascade, track, cascade+track will fail, those of detect+classify "
                    + "will be partial") == true)
    }

    @Test func errorsOfModulesHaveTheirExitCodes() {
        #expect(Fatal(RPCError(.unavailable, "no node")).status == .unreachable)
        #expect(Fatal(RPCError(.internal, "lost", lostConnection: true)).status == .unreachable)
        #expect(Fatal(RPCError(.invalidArgument, "bad")).status == .failed)
        #expect(Fatal(Fatal("x", status: .usage)).status == .usage)
        #expect(Fatal(CancellationError()).status == .interrupted)
        // Of no module of ours.
        #expect(Fatal(IOError(errnoCode: EMFILE, reason: "accept")).message == "too many open files")
    }

    @Test func foldersOfModelsAreSplitAtColons() {
        #expect(Resources.modelFolders(["FRAMEMESH_MODELS": "/a:/b c:"]) == ["/a", "/b c"])
        #expect(Resources.modelFolders([:]) == [])
    }

    @Test func pulledModelsGoToTheUsersDataFolder() {
        #expect(Resources.pulledModels(["XDG_DATA_HOME": "/data", "HOME": "/h"]) == "/data/framemesh/models")
        #expect(Resources.pulledModels(["HOME": "/h"]) == "/h/.local/share/framemesh/models")
        #expect(Resources.pulledModels(["XDG_DATA_HOME": "data", "HOME": "/h"]) == "/h/.local/share/framemesh/models")
    }

    @Test func addressesToListenAtAreRead() throws {
        #expect(try ListenAddress(parsing: "[::1]:80").description == "[::1]:80")
        #expect(try ListenAddress(parsing: "localhost:0").address == .host("localhost", port: 0))
        #expect(try ListenAddress(parsing: "unix:/run/x").description == "unix:/run/x")
        for wrong in ["", "8500", "host:", "host:70000", ":1", "host:-1"] {
            #expect(throws: Fatal.self, "\(wrong)") { try ListenAddress(parsing: wrong) }
        }
    }
}
