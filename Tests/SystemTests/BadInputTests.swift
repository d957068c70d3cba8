import Foundation
import TestSupport
import Testing

/// Bad input: a one-line error that names the thing, an exit code above 0, and nothing dies.
@Suite(.serialized) struct BadInputTests {
    private static func expectOneLine(
        _ result: Command.Result, naming words: String..., source: SourceLocation = #_sourceLocation
    ) {
        #expect(result.code != 0, sourceLocation: source)
        #expect(result.errorLines.count == 1, "\(result.errors)", sourceLocation: source)
        for word in words {
            #expect(result.errors.contains(word), "no '\(word)' in: \(result.errors)", sourceLocation: source)
        }
    }

    /// A JPEG that says it is 65,500 pixels on each side, and little else.
    static let hugeJPEG: Data = {
        var bytes: [UInt8] = [0xFF, 0xD8]
        bytes += [0xFF, 0xE0, 0, 16, 0x4A, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]
        bytes += [0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 16, count: 64)
        bytes += [0xFF, 0xC0, 0, 11, 8, 0xFF, 0xDC, 0xFF, 0xDC, 1, 1, 0x11, 0]
        bytes += [0xFF, 0xC4, 0, 20, 0, 1] + [UInt8](repeating: 0, count: 15) + [0]
        bytes += [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0xFF, 0xD9]
        return Data(bytes)
    }()

    @Test func badPicturesAreNamedAndTheGoodOnesAnsweredAllTheSame() async throws {
        let folder = try Place.temporary("bad")
        defer { try? FileManager.default.removeItem(at: folder) }
        let demo = try FileManager.default.contentsOfDirectory(atPath: Place.demo.path)
            .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()
        let good = Place.demo.appending(path: try #require(demo.first))
        let whole = try Data(contentsOf: good)
        func file(_ name: String, _ data: Data) throws -> String {
            let url = folder.appending(path: name)
            try data.write(to: url)
            return url.path
        }
        let bad = [
            try file("empty.jpg", Data()),
            try file("truncated.jpg", whole.prefix(whole.count / 2)),
            try file("text.jpg", Data("this is not a picture at all".utf8)),
            try file("huge.jpg", Self.hugeJPEG),
        ]
        let mesh = try await LocalMesh.up()
        try await LocalMesh.with(mesh) { mesh in
            let result = try await mesh.send("cascade", [good.path] + bad + [good.path])
            #expect(result.code != 0)
            let answers = try AnswerLine.all(result)
            try #require(answers.count == 6)
            #expect(answers.map(\.status) == ["ok", "error", "error", "error", "error", "ok"])
            for (answer, path) in zip(answers.dropFirst(), bad) {
                #expect(answer.source == path)
                #expect(answer.cause?.isEmpty == false && answer.cause?.contains("\n") == false)
            }
            #expect(answers[1].cause?.contains("empty") == true, "\(answers[1])")
            #expect(answers[2].cause?.contains("truncated") == true, "\(answers[2])")
            #expect(answers[4].cause?.contains("65500") == true, "\(answers[4])")
            // Each alone, for people.
            for path in bad {
                let alone = try await Command.run([
                    "send", "--coordinator", mesh.coordinator, "--pipeline", "cascade", path,
                ])
                #expect(alone.code != 0)
                #expect((alone.output + alone.errors).contains((path as NSString).lastPathComponent))
            }

            let raw = try file("small.bgr", Data(count: 100))
            let wrongSize = try await mesh.send(
                "detect", [raw], ["--encoding", "bgr8", "--width", "640", "--height", "480"])
            #expect(wrongSize.code != 0)
            let answer = try #require(try AnswerLine.all(wrongSize).first)
            #expect(answer.status == "error" && answer.cause?.contains("100") == true, "\(answer)")

            let unknown = try await mesh.send("nonsense", [good.path])
            #expect(unknown.code != 0)
            #expect((unknown.output + unknown.errors).contains("nonsense"))
            #expect((unknown.output + unknown.errors).contains("cascade"), "names what there is")

            let unaryTrack = try await mesh.send("track", [good.path])
            // Either is right: pictures may be sent as one stream.
            let status = try AnswerLine.all(unaryTrack).first?.status
            #expect((unaryTrack.code == 0) == (status == "ok"))

            let film = try await mesh.send("detect", [Place.demo.appending(path: "digits.mp4").path, good.path])
            #expect(film.code == 1)
            let both = try AnswerLine.all(film)
            #expect(both.map(\.status) == ["error", "ok"])
            #expect(both.first?.cause?.hasPrefix("is a video: `framemesh video`") == true, "\(both)")

            let missing = try await mesh.send("detect", [folder.appending(path: "nothing-here.jpg").path])
            #expect(missing.code != 0)
            #expect((missing.output + missing.errors).contains("nothing-here.jpg"))

            // All of it still works.
            let again = try await mesh.send("cascade", [good.path])
            #expect(again.code == 0)
            #expect(try AnswerLine.all(again).first?.status == "ok")
        }
    }

    /// A reader that has left knows it; a full disk is an error.
    @Test func aStandardOutputThatIsFullIsSaid() async throws {
        func run(_ script: String) async throws -> Command.Result {
            let shell = URL(fileURLWithPath: "/bin/sh")
            return try await ChildProcess(shell, ["-c", script, Place.framemesh.path]).finish()
        }
        let full = try await run("exec \"$0\" limits > /dev/full")
        Self.expectOneLine(full, naming: "cannot write to standard output: No space left on device")
        #expect(full.code == 1)
        let closed = try await run("(sleep 1; \"$0\" limits; echo $? >&2) | :")
        #expect(closed.errorLines == ["141"])
    }

    @Test func aCoordinatorThatIsNotThereIsNamed() async throws {
        let picture = try Place.temporary("none").appending(path: "a.jpg")
        try Self.hugeJPEG.write(to: picture)
        let result = try await Command.run(
            ["send", "--coordinator", "127.0.0.1:1", "--pipeline", "detect", picture.path])
        Self.expectOneLine(result, naming: "127.0.0.1:1")
    }

    @Test func aMeshWithoutNodesSaysWhatItTried() async throws {
        let coordinator = try Command([
            "coordinator", "--listen", "127.0.0.1:0", "--detectors", "static:///127.0.0.1:1", "--classifiers",
            "static:///127.0.0.1:2",
        ])
        let address = try await coordinator.line(startingWith: "ready ")
        let good = Place.demo.appending(
            path: try #require(
                try FileManager.default.contentsOfDirectory(atPath: Place.demo.path).sorted().first {
                    $0.hasSuffix(".jpg") || $0.hasSuffix(".png")
                }))
        let result = try await Command.run(
            ["send", "--coordinator", address, "--pipeline", "detect", "--json", good.path])
        #expect(result.code != 0)
        #expect((result.output + result.errors).contains("127.0.0.1:1"), "\(result.output) \(result.errors)")
        coordinator.signal(SIGTERM)
        #expect(try await coordinator.finish(within: .seconds(180)).code == 0)
    }

    @Test func aPortThatIsTakenIsNamed() async throws {
        let first = try Command(["coordinator", "--listen", "127.0.0.1:0", "--detectors", "127.0.0.1:1"])
        let address = try await first.line(startingWith: "ready ")
        let second = try await Command.run(["coordinator", "--listen", address, "--detectors", "127.0.0.1:1"])
        Self.expectOneLine(second, naming: address)
        first.signal(SIGINT)
        _ = try await first.finish(within: .seconds(180))
    }

    @Test func aModelThatIsNotThereIsNamed() async throws {
        let node = try await Command.run(["detector", "--listen", "127.0.0.1:0", "--model", "no-such-model"])
        Self.expectOneLine(node, naming: "no-such-model", "digits-detector")
        let mesh = try await Command.run([
            "up", "--coordinator-port", "0", "--gateway-port", "0", "--detectors", "1", "--classifiers", "0",
            "--detect-model", "no-such-model",
        ])
        #expect(mesh.code != 0 && mesh.errors.contains("no-such-model"), "\(mesh)")
    }

    @Test func aModelWithAWrongDigestIsRefused() async throws {
        let folder = try Place.temporary("digest")
        defer { try? FileManager.default.removeItem(at: folder) }
        let models = Place.root.appending(path: "Sources/framemesh/Resources/models")
        for file in try FileManager.default.contentsOfDirectory(atPath: models.path) where file.hasPrefix("digits") {
            try FileManager.default.copyItem(at: models.appending(path: file), to: folder.appending(path: file))
        }
        let broken = folder.appending(path: "digits-detector.onnx")
        var bytes = try Data(contentsOf: broken)
        bytes[bytes.count / 2] ^= 0x55
        try bytes.write(to: broken)
        let environment = ["FRAMEMESH_MODELS": folder.path]
        let node = try await Command.run(
            ["detector", "--listen", "127.0.0.1:0", "--model", "digits-detector"], environment: environment)
        Self.expectOneLine(node, naming: "digits-detector", "sha256")
        let check = try await Command.run(["models", "check", "digits-detector"], environment: environment)
        #expect(check.code != 0 && (check.output + check.errors).contains("sha256"))
    }

    /// Asked for by name it says why it is not there; otherwise nobody hears of it.
    @Test func anEngineThatIsNotHereIsNamed() async throws {
        let environment = ["FRAMEMESH_OPENVINO": "/nonexistent"]
        let words = "OpenVINO is not here: FRAMEMESH_OPENVINO names /nonexistent, where there is no libopenvino_c.so"
        for command in [["models", "check", "digits-classifier"], ["classifier", "--listen", "127.0.0.1:0"]] {
            let result = try await Command.run(command + ["--engine", "openvino"], environment: environment)
            Self.expectOneLine(result, naming: words)
            #expect(result.code == 2)
        }
        let other = try await Command.run(["models", "check", "digits-classifier"], environment: environment)
        #expect(other.code == 0 && other.errors.isEmpty, "\(other.errors)")
    }

    @Test func anUnknownConfigurationKeyIsAnError() async throws {
        let folder = try Place.temporary("config")
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "framemesh.yaml")
        try Data("coordinator:\n  detectorz: 127.0.0.1:1\n".utf8).write(to: file)
        let result = try await Command.run(["coordinator", "--config", file.path, "--detectors", "127.0.0.1:1"])
        #expect(result.code != 0 && result.errors.contains("detectorz"), "\(result.errors)")
    }
}
