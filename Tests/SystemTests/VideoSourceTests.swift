import Foundation
import TestSupport
import Testing

/// `framemesh video` with a URL: files that are served, live sources that go away and come back, and such that are none.
@Suite(.serialized) struct VideoSourceTests {
    static let frames = 30

    /// Serves 30 frames of the demo's video, as files and as pictures.
    private struct Server {
        let process: ChildProcess
        let port: String

        func url(_ path: String, credentials: String = "") -> String {
            "http://\(credentials)127.0.0.1:\(port)/\(path)"
        }

        static func with(_ body: (Server) async throws -> Void) async throws {
            let folder = try Place.temporary("sources")
            defer { try? FileManager.default.removeItem(at: folder) }
            func path(_ name: String) -> String { folder.appending(path: name).path }
            let input = ["-i", Place.demo.appending(path: "digits.mp4").path, "-frames:v", "\(frames)"]
            let copy = ["-c", "copy"]
            // As phones make it: more than a buffer holds, and the index behind.
            let big = ["-c:v", "mpeg4", "-g", "1", "-q:v", "1"]
            for output in [
                copy + ["-movflags", "+faststart", path("a.mp4")], copy + [path("a.ts")], copy + [path("a.mkv")],
                big + [path("behind.mp4")], ["-q:v", "3", path("%03d.jpg")],
            ] {
                let ffmpeg = try ChildProcess(
                    URL(fileURLWithPath: "/usr/bin/env"), ["ffmpeg", "-nostdin", "-v", "error"] + input + output)
                try #require(try await ffmpeg.finish().code == 0)
            }
            try #require(Data(contentsOf: URL(fileURLWithPath: path("behind.mp4"))).count > 200_000)
            try Data("this is no video at all".utf8).write(to: folder.appending(path: "text.txt"))
            let script = Place.root.appending(path: "Tests/SystemTests/video_server.py").path
            let process = try ChildProcess(
                URL(fileURLWithPath: "/usr/bin/env"), ["python3", "-B", script, folder.path], input: .open)
            defer { process.closeInput() }
            try await body(Server(process: process, port: try await process.line(startingWith: "port ")))
        }

        /// What was asked for so far.
        func calls() async throws -> [String] {
            process.closeInput()
            return try await process.finish().lines.filter { $0.hasPrefix("called ") }.map { String($0.dropFirst(7)) }
        }
    }

    private static func arguments(_ mesh: LocalMesh, _ extra: [String]) -> [String] {
        ["video", "--coordinator", mesh.coordinator, "--pipeline", "detect", "--json"] + extra
    }

    private static func video(_ mesh: LocalMesh, _ extra: String...) async throws -> Command.Result {
        try await Command.run(arguments(mesh, extra))
    }

    /// What says how long it is is a file: whole, lossless, once.
    @Test func aFileThatIsServedIsPlayedOnce() async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                // As long as URLs are that are signed for a while.
                let token = "t0ken" + String(repeating: "x", count: 2000)
                for file in ["a.mp4", "a.ts"] {
                    let result = try await Self.video(
                        mesh, server.url("403/\(file)?key=\(token)", credentials: "user:s3cret@"))
                    #expect(result.code == 0, "\(result.errors)")
                    let answers = try AnswerLine.all(result)
                    VideoThroughTheMeshTests.expectOnceInOrder(answers, Self.frames)
                    #expect(answers.allSatisfy { $0.status == "ok" && $0.width == 640 && $0.height == 480 })
                    #expect(answers.allSatisfy { $0.captured_at == nil })
                    #expect(answers.allSatisfy { $0.source == server.url("403/\(file)") && $0.stream == file })
                    #expect(!(result.output + result.errors).contains("s3cret"))
                }
            }
            #expect(Set(try await server.calls()) == ["/403/a.mp4", "/403/a.ts"])
        }
    }

    /// FFmpeg's and phones' MP4s have their index behind the frames: it is read first, where the server gives parts.
    @Test func anIndexBehindTheFramesIsReadFirst() async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let result = try await Self.video(mesh, server.url("ranges/behind.mp4"))
                #expect(result.code == 0, "\(result.errors)")
                let answers = try AnswerLine.all(result)
                VideoThroughTheMeshTests.expectOnceInOrder(answers, Self.frames)
                #expect(answers.allSatisfy { $0.status == "ok" && $0.width == 640 && $0.height == 480 })

                let whole = try await Self.video(mesh, server.url("behind.mp4"))
                #expect(whole.code == 1 && whole.output.isEmpty && whole.errorLines.count == 1, "\(whole.errors)")
                let words = ": its index is behind its frames, and the server gives no parts of a file (Range)"
                #expect(whole.errors.contains(server.url("behind.mp4") + words), "\(whole.errors)")
            }
            // The whole of it, its index, its frames.
            let calls = try await server.calls()
            try #require(calls.count == 4, "\(calls)")
            #expect(calls[0] == "/ranges/behind.mp4" && calls[3] == "/behind.mp4", "\(calls)")
            #expect(calls[1...2].allSatisfy { $0.hasPrefix("/ranges/behind.mp4 from ") }, "\(calls)")
        }
    }

    /// Nothing but the container tells that more should have come.
    @Test(arguments: ["a.mkv", "a.mp4"]) func aFileThatBreaksOffIsNoWholeOne(_ file: String) async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let half = try await Self.video(mesh, server.url("half/\(file)"))
                #expect(half.code == 1, "\(half.errors)")
                let answers = try AnswerLine.all(half)
                VideoThroughTheMeshTests.expectOnceInOrder(answers, answers.count)
                #expect(answers.count > 0 && answers.count < Self.frames)
                #expect(half.errors.contains("the source is cut off"), "\(half.errors)")

                let whole = try await Self.video(mesh, server.url("unsized/\(file)"))
                #expect(whole.code == 0, "\(whole.errors)")
                VideoThroughTheMeshTests.expectOnceInOrder(try AnswerLine.all(whole), Self.frames)
            }
            #expect(try await server.calls() == ["/half/\(file)", "/unsized/\(file)"])
        }
    }

    /// The frames that are wanted come while the file is still being opened, and many more behind them.
    @Test func theLastFrameThatIsWantedIsAnswered() async throws {
        let folder = try Place.temporary("few")
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "few.mp4")
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let result = try await Self.video(
                    mesh, "--max-frames", "2", "--output", output.path, server.url("unsized/a.ts"))
                #expect(result.code == 0, "\(result.errors)")
                let answers = try AnswerLine.all(result)
                VideoThroughTheMeshTests.expectOnceInOrder(answers, 2)
                #expect(answers.last?.status == "ok")
                #expect(try await VideoThroughTheMeshTests.frameCount(output) > 0)
            }
            #expect(try await server.calls() == ["/unsized/a.ts"])
        }
    }

    /// Cameras are known to make up a size.
    @Test func picturesOfACameraAreLiveWhateverTheirSize() async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let result = try await Self.video(
                    mesh, "--max-frames", "25", "--limit", "stream-reconnect=10ms", server.url("sized/15"))
                #expect(result.code == 0, "\(result.errors)")
                VideoThroughTheMeshTests.expectOnceInOrder(try AnswerLine.all(result), 25)
                #expect(result.errorLines.filter { $0.contains("called again") }.count == 1, "\(result.errors)")
            }
            #expect(try await server.calls() == ["/sized/15", "/sized/15"])
        }
    }

    @Test func aLiveSourceIsCalledAgainUntilItIsEnough() async throws {
        let folder = try Place.temporary("live")
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "live.mp4")
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let result = try await Self.video(
                    mesh, "--max-frames", "25", "--limit", "stream-reconnect=10ms", "--output", output.path,
                    server.url("parts/10?key=t0ken"))
                #expect(result.code == 0, "\(result.errors)")
                let answers = try AnswerLine.all(result)
                VideoThroughTheMeshTests.expectOnceInOrder(answers, 25)
                #expect(answers.allSatisfy { ["ok", "dropped"].contains($0.status) })
                // In the order of time across the calls, and in this run's time.
                let times = answers.compactMap(\.captured_at)
                #expect(times.count == 25 && times == times.sorted(), "\(times)")
                let now = Date()
                let earliest = now.addingTimeInterval(-3600).formatted(.iso8601)
                #expect(times.allSatisfy { $0 > earliest && $0 < now.addingTimeInterval(3600).formatted(.iso8601) })
                let lost = result.errorLines.filter { $0.contains("called again") }
                #expect(lost.count == 2, "\(result.errors)")
                let words = server.url("parts/10: the source has ended; it is called again in ")
                #expect(lost.allSatisfy { $0.hasPrefix(words) })
                #expect(!(result.output + result.errors).contains("t0ken"))
                // Times go on across the calls, or the file could not be written.
                let written = try await VideoThroughTheMeshTests.frameCount(output)
                #expect(written > 0 && written <= 25)
            }
            #expect(try await server.calls() == ["/parts/10", "/parts/10", "/parts/10"])
        }
    }

    /// Who has shown something and does not come back is an error, and what was answered stays.
    @Test func aSourceThatDoesNotComeBackIsGivenUp() async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let run = try Command(
                    Self.arguments(
                        mesh,
                        [
                            "--limit", "stream-reconnect=10ms", "--limit", "stream-attempts=3",
                            server.url("parts/100000"),
                        ]))
                _ = try await run.line(startingWith: "{")
                server.process.signal(SIGKILL)
                let result = try await run.finish()
                #expect(result.code == 1, "\(result.errors)")
                let answers = try AnswerLine.all(result)
                VideoThroughTheMeshTests.expectOnceInOrder(answers, answers.count)
                #expect(result.errorLines.filter { $0.contains("called again") }.count == 2, "\(result.errors)")
                #expect(result.errors.contains("\(answers.count) frame"), "\(result.errors)")
                #expect(result.errorLines.last?.contains("Connection refused") == true, "\(result.errors)")
            }
        }
    }

    @Test func anEndlessSourceEndsWithCtrlC() async throws {
        let folder = try Place.temporary("endless")
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "endless.mp4")
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let url = server.url("parts/100000")
                let run = try Command(Self.arguments(mesh, ["--output", output.path, url]))
                // The first ones may be replaced before there is a coordinator to send them to.
                _ = try await run.line(
                    startingWith: #"{"source":"\#(url)","stream":"100000","sequence":50,"#)
                // As `timeout` does, to the process and to its group.
                for _ in 0..<2 { run.signal(SIGINT) }
                let result = try await run.finish()
                #expect(result.code == 130, "\(result.errors)")
                let answers = try AnswerLine.all(result)
                VideoThroughTheMeshTests.expectOnceInOrder(answers, answers.count)
                let were = answers.count == 1 ? "1 frame was" : "\(answers.count) frames were"
                #expect(result.errors.contains("\(were) answered"), "\(result.errors)")
                #expect(result.errors.contains("the annotated video up to there is \(output.path)"), "\(result.errors)")
                // The frame that was just written may not have been told of any more.
                let written = try await VideoThroughTheMeshTests.frameCount(output)
                #expect(written > 0 && written <= answers.count + 1)
            }
        }
    }

    /// Frames that the coordinator does not take are neither kept nor passed over in silence.
    @Test func aSourceIsNotHeldUpByACoordinatorThatIs() async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let run = try Command(
                    Self.arguments(mesh, ["--encode", "raw", "--max-frames", "250", server.url("parts/100000")]))
                _ = try await run.line(startingWith: "{")
                let coordinator = try #require(ProcessTable.child(of: mesh.command.pid, role: "coordinator").first)
                kill(coordinator, SIGSTOP)
                try await Task.sleep(for: VideoThroughTheMeshTests.pause)
                kill(coordinator, SIGCONT)
                let result = try await run.finish()
                #expect(result.code == 0, "\(result.errors)")
                let answers = try AnswerLine.all(result)
                VideoThroughTheMeshTests.expectOnceInOrder(answers, 250)
                #expect(answers.allSatisfy { ["ok", "dropped"].contains($0.status) })
                // Most of those that came meanwhile gave way to the same one. The coordinator, which would get them all late,
                // replaces each by the next.
                let replaced = Dictionary(grouping: answers.filter { $0.status == "dropped" }, by: \.cause)
                let most = replaced.max { $0.value.count < $1.value.count }
                #expect(most?.key?.contains("replaced") == true && (most?.value.count ?? 0) > 40, "\(replaced.keys)")
            }
        }
    }

    @Test func whatIsNoVideoIsToldInOneLine() async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let secret = "user:s3cret@"
                let own = "http://127.0.0.1:\(server.port)/"
                let cases: [(url: String, code: Int32, words: [String])] = [
                    (server.url("none?key=t0ken", credentials: secret), 1, [own + "none: ", "404"]),
                    (server.url("401?key=t0ken", credentials: secret), 1, [own + "401: ", "401"]),
                    (server.url("text.txt", credentials: secret), 1, [own + "text.txt: ", "is not a video"]),
                    (
                        server.url("list?key=t0ken", credentials: secret), 1,
                        [own + "list: ", "it looks like 'Apple HTTP Live Streaming'"]
                    ),
                    (server.url("away?key=t0ken", credentials: secret), 1, [own + "away: ", "leads elsewhere"]),
                    (server.url("secure?key=t0ken", credentials: secret), 1, [own + "secure: ", "to another scheme"]),
                    (
                        server.url("scheme?key=t0ken", credentials: secret), 1,
                        [own + "scheme: it leads to another scheme, where nobody is called: name that URL"]
                    ),
                    (
                        server.url("circle?key=t0ken", credentials: secret), 1,
                        [own + "circle: it leads from URL to URL without an end: name the one that has the video"]
                    ),
                    (
                        "rtsp://\(secret)127.0.0.1:\(server.port)/a?key=t0ken", 1,
                        ["rtsp://127.0.0.1:\(server.port)/a: nobody there answers in RTSP: is the port right"]
                    ),
                    ("http://\(secret)127.0.0.1:1/a?key=t0ken", 1, ["http://127.0.0.1:1/a: ", "refused"]),
                    ("rtsp://\(secret)127.0.0.1:1/a?key=t0ken", 1, ["rtsp://127.0.0.1:1/a: ", "refused"]),
                    ("rtsp://\(secret)no-such-host.invalid/a?key=t0ken", 1, ["rtsp://no-such-host.invalid:554/a: "]),
                    ("ftp://\(secret)127.0.0.1/a?key=t0ken", 2, ["'ftp' is not called"]),
                    ("file:///etc/passwd", 2, ["'file' is not called"]),
                    ("http://\(secret)/a?key=t0ken", 2, ["is not a URL with a host"]),
                ]
                for (url, code, words) in cases {
                    let result = try await Self.video(mesh, url)
                    #expect(result.code == code, "\(url): \(result.errors)")
                    #expect(result.output.isEmpty && result.errorLines.count == 1, "\(url): \(result.errors)")
                    for word in words { #expect(result.errors.contains(word), "\(url): \(result.errors)") }
                    #expect(!result.errors.contains("s3cret") && !result.errors.contains("t0ken"), "\(result.errors)")
                }
            }
            // Nothing that a playlist names was asked for, and nobody was called again who has shown nothing; whoever wants
            // to know who asks is told so by a second request, and a circle is gone round a few times, as FFmpeg likes.
            let calls = try await server.calls()
            let once = calls.filter { $0 != "/circle" }
            #expect(once == ["/none", "/401", "/401", "/text.txt", "/list", "/away", "/secure", "/scheme"])
            #expect((1..<20).contains(calls.count - once.count), "\(calls)")
        }
    }

    /// Before a coordinator or the source is called: nobody is there to be reached.
    @Test func aFileWithoutAuthoritiesIsWrongUsage() async throws {
        let text = Place.root.appending(path: "README.md").path
        for (path, words) in [("/nope.pem", "cannot read '/nope.pem'"), (text, "'\(text)' holds no certificate")] {
            let result = try await Command.run([
                "video", "--coordinator", "127.0.0.1:1", "--pipeline", "detect", "--source-authorities", path,
                "rtsps://127.0.0.1:1/a",
            ])
            #expect(result.code == 2 && result.output.isEmpty && result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.contains("--source-authorities: \(words)"), "\(result.errors)")
        }
    }

    @Test func aSilentSourceIsGivenUp() async throws {
        try await Server.with { server in
            let mesh = try await LocalMesh.up(classifiers: 0)
            try await LocalMesh.with(mesh) { mesh in
                let result = try await Self.video(mesh, server.url("silent"))
                #expect(result.code == 1 && result.errorLines.count == 1, "\(result.errors)")
                #expect(result.errors.contains("timed out") || result.errors.contains("no picture within"))
            }
        }
    }

    /// Requests and RTP on one connection, in the clear and with TLS.
    @Test(arguments: ["rtsp", "rtsps"]) func aCameraThatSpeaksRTSPIsWatched(_ scheme: String) async throws {
        let folder = try CertificateFolder()
        try await folder.makeAuthority("authority")
        try await folder.makeCertificate("camera", by: "authority", alternatives: "DNS:localhost,IP:127.0.0.1")
        let script = Place.root.appending(path: "Tests/GatewayTests/python/rtsp_camera.py").path
        let keys = scheme == "rtsps" ? [folder.path("camera.crt"), folder.path("camera.key")] : []
        let camera = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"),
            ["python3", "-B", script, Place.demo.appending(path: "digits.mp4").path] + keys, input: .open)
        defer { camera.closeInput() }
        let url = "\(scheme)://user:s3cret@localhost:\(try await camera.line(startingWith: "port "))/cam"
        let mesh = try await LocalMesh.up(classifiers: 0)
        try await LocalMesh.with(mesh) { mesh in
            if scheme == "rtsps" {
                let stranger = try await Self.video(mesh, "--max-frames", "1", url)
                #expect(stranger.code == 1 && stranger.errors.contains("certificate"), "\(stranger.errors)")
                #expect(!stranger.errors.contains("s3cret"), "\(stranger.errors)")
            }
            let trust = scheme == "rtsps" ? ["--source-authorities", folder.path("authority.crt")] : []
            let result = try await Command.run(Self.arguments(mesh, trust + ["--max-frames", "20", url]))
            #expect(result.code == 0, "\(result.errors)")
            let answers = try AnswerLine.all(result)
            VideoThroughTheMeshTests.expectOnceInOrder(answers, 20)
            #expect(answers.contains { $0.status == "ok" && $0.width == 640 })
            #expect(answers.allSatisfy { ["ok", "dropped"].contains($0.status) && $0.stream == "cam" })
        }
    }
}
