import Foundation
import TestSupport
import Testing

/// Roles and clients with TLS, tokens and rules, and on Unix-domain sockets, as processes.
@Suite(.serialized) struct SecureMeshTests {
    /// What the processes of a test are given, in a folder that goes with the value.
    struct Files {
        let certificates: CertificateFolder
        var folder: URL { certificates.folder }

        static func make() async throws -> Files {
            let files = try CertificateFolder()
            for authority in ["home", "away"] {
                try await files.makeAuthority(authority)
                for name in ["server", "client"] {
                    try await files.makeCertificate(
                        "\(name)-\(authority)", by: authority, alternatives: "DNS:localhost,IP:127.0.0.1")
                }
            }
            // `printf %s right | sha256sum` and so on.
            for (name, text) in [
                (
                    "callers",
                    """
                    token sha256:27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9 anna see
                    token sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa bert other
                    """
                ),
                ("rules", "# what who\n* known\nframemesh.v1.Vision/Analyze scopes see\n"),
                ("right", "right\n"), ("other", "other\n"), ("wrong", "wrong\n"), ("empty", "\n"),
            ] {
                let file = files.folder.appending(path: name)
                try Data(text.utf8).write(to: file)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            }
            return Files(certificates: files)
        }

        func callAsFunction(_ name: String) -> String { certificates.path(name) }

        func identity(_ name: String, prefix: String = "--") -> [String] {
            ["\(prefix)tls-certificate", self("\(name).crt"), "\(prefix)tls-key", self("\(name).key")]
        }
    }

    private static func pictures() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Place.demo.path).filter { $0.hasSuffix(".jpg") }.sorted()
            .map { Place.demo.appending(path: $0).path }
    }

    private static func send(_ coordinator: String, _ extra: [String]) async throws -> Command.Result {
        let picture = try #require(try pictures().first)
        return try await Command.run(
            ["send", "--coordinator", coordinator, "--pipeline", "detect", "--json", picture] + extra)
    }

    private static func expectOneLine(_ result: Command.Result, code: Int32, _ words: String) {
        #expect(result.code == code, "\(result.errors)")
        #expect(result.errorLines.count == 1, "\(result.errors)")
        #expect(result.errors.contains(words), "no '\(words)' in: \(result.errors)")
    }

    @Test func aPictureGoesThroughTLSAndRulesToADetectorWithTLS() async throws {
        let files = try await Files.make()
        let detector =
            ["detector", "--listen", "127.0.0.1:0", "--workers", "1", "--tls-client-ca", files("home.crt")]
            + files.identity("server-home") + ["--credentials", files("callers")]
        try await Command.serving(detector) { _, node in
            let coordinator =
                [
                    "coordinator", "--listen", "127.0.0.1:0", "--detectors", node, "--tls-client-ca", files("home.crt"),
                    "--credentials", files("callers"), "--access-rules", files("rules"), "--node-tls-ca",
                    files("home.crt"), "--node-token-file", files("other"),
                ] + files.identity("server-home") + files.identity("client-home", prefix: "--node-")
            try await Command.serving(coordinator) { _, address in
                let trusting = ["--tls-ca", files("home.crt")]
                let known = trusting + files.identity("client-home")

                let answer = try await Self.send(address, known + ["--token-file", files("right")])
                #expect(answer.code == 0, "\(answer.errors)")
                let line = try #require(try AnswerLine.all(answer).first)
                #expect(line.status == "ok" && line.detections?.isEmpty == false)

                let nodes = try await Command.run(
                    ["nodes", "--coordinator", address, "--json", "--token-file", files("right")] + known)
                #expect(nodes.output.contains("digits-detector"), "the detector has described itself: \(nodes.output)")

                Self.expectOneLine(try await Self.send(address, known), code: 1, "UNAUTHENTICATED")
                Self.expectOneLine(
                    try await Self.send(address, known + ["--token-file", files("wrong")]), code: 1, "UNAUTHENTICATED")
                let forbidden = try await Self.send(address, known + ["--token-file", files("other")])
                #expect(forbidden.code == 1)
                #expect((forbidden.output + forbidden.errors).contains("scope 'see' is needed"), "\(forbidden)")

                Self.expectOneLine(
                    try await Self.send(address, trusting + ["--token-file", files("right")]), code: 3,
                    "no coordinator answers at \(address)")
                Self.expectOneLine(
                    try await Self.send(address, trusting + files.identity("client-away")), code: 3,
                    "no coordinator answers at \(address)")
                Self.expectOneLine(
                    try await Self.send(address, ["--tls-ca", files("away.crt")] + files.identity("client-home")),
                    code: 3, "TLS: the peer's certificate is of an authority that is not trusted here")
                Self.expectOneLine(
                    try await Self.send(address, known + ["--tls-server-name", "else.where"]), code: 3,
                    "TLS: the peer's certificate is for another name")
                Self.expectOneLine(
                    try await Self.send(address, []), code: 3, "no coordinator answers at \(address)")
            }
        }
    }

    @Test func whatCannotBeUsedIsSaidInOneLineAtTheStart() async throws {
        let files = try await Files.make()
        let detector = ["detector", "--listen", "127.0.0.1:0", "--workers", "1"]
        let certificate = files.identity("server-home")
        try Data("framemesh.v1.Detecter known\n".utf8).write(to: files.folder.appending(path: "misspelt"))
        try Data("* everybody\n".utf8).write(to: files.folder.appending(path: "unknown"))
        let mixed = ["--tls-certificate", files("server-home.crt"), "--tls-key", files("client-home.key")]
        let demo = Place.demo.appending(path: "digits.mp4").path
        let bench = ["bench", "--pipeline", "detect", "--gateway"]
        for (arguments, words) in [
            (detector + ["--tls-certificate", files("no.crt"), "--tls-key", files("server-home.key")], "no.crt"),
            (detector + mixed, "server-home.crt"),
            (detector + ["--tls-certificate", files("server-home.crt")], "--tls-certificate needs --tls-key"),
            (detector + ["--tls-client-ca", files("home.crt")], "--tls-client-ca needs --tls-certificate"),
            (detector + certificate + ["--tls-client-ca", files("home.key")], "home.key"),
            (detector + ["--credentials", files("rules")], "rules', line 2"),
            (detector + ["--credentials", files("nothing")], "nothing"),
            (detector + ["--access-rules", files("rules")], "--access-rules needs --credentials"),
            (
                detector + ["--credentials", files("callers"), "--access-rules", files("misspelt")],
                "did you mean 'framemesh.v1.Detector'?"
            ),
            (detector + ["--credentials", files("callers"), "--access-rules", files("unknown")], "line 1"),
            (["coordinator", "--node-tls-ca", files("no.crt")], "no.crt"),
            (
                ["coordinator", "--node-tls-key", files("client-home.key")],
                "--node-tls-key needs --node-tls-certificate"
            ),
            (["coordinator", "--node-token-file", files("empty")], "holds no token"),
            (["nodes", "--token-file", files("no-token")], "no-token"),
            (bench + ["http://127.0.0.1:1", "--token-file", files("no-token")], "no-token"),
            (bench + ["http://127.0.0.1:1", "--tls-ca", files("no.crt")], "--tls-ca is for https://"),
            (bench + ["https://127.0.0.1:1", "--tls-ca", files("no.crt")], "no.crt"),
            (
                ["nodes"] + ["--tls-certificate", files("server-home.crt"), "--tls-key", files("client-home.key")],
                "server-home"
            ),
            (["detector", "--limit", "max-conections=5"], "did you mean 'max-connections'?"),
            (["coordinator", "--node-limit", "retry-tokens=0"], "retry-tokens"),
            (["up", "--limit", "max-connections=none"], "max-connections"),
            (["nodes", "--limit", "keepalive-time=5s"], "keepalive-time"),
            (["nodes", "--limit", "stream-attempts=2"], "framemesh video with a URL"),
            (["coordinator", "--limit", "stream-attempts=2"], "framemesh video with a URL"),
            (["nodes", "--limit", "resume-timeout=2"], "send frames as streams"),
            (["pipelines", "--limit", "resume-timeout=2"], "send frames as streams"),
            (["up", "--detectors", "0", "--classifiers", "0"], "can do nothing"),
            (["video", "--pipeline", "detect", "--limit", "stream-attempts=2", demo], "framemesh video with a URL"),
        ] {
            let result = try await Command.run(arguments, within: .seconds(120))
            Self.expectOneLine(result, code: 2, words)
        }
    }

    @Test(arguments: [false, true]) func aUnixSocketServesAndIsGoneAfterwards(_ isSecure: Bool) async throws {
        let files = try await Files.make()
        let folder = URL(fileURLWithPath: "/tmp/framemesh-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (node, place) = (folder.appending(path: "node").path, folder.appending(path: "mesh").path)
        let identity = isSecure ? files.identity("server-home") : []
        try await Command.serving(["detector", "--listen", "unix:\(node)", "--workers", "1"] + identity) {
            detector, address in
            #expect(address == "unix:\(node)")
            let arguments =
                ["coordinator", "--listen", "unix:\(place)", "--detectors", address] + identity
                + (isSecure ? ["--node-tls-ca", files("home.crt")] : [])
            try await Command.serving(arguments) { coordinator, address in
                let extra = isSecure ? ["--tls-ca", files("home.crt")] : []
                let answer = try await Self.send(address, extra)
                #expect(answer.code == 0, "\(answer.errors)")
                let nodes = try await Command.run(["nodes", "--coordinator", address, "--json"] + extra)
                #expect(nodes.output.contains("unix:\(node)"), "\(nodes.output)")
                // Each ends while it is connected.
                for (role, file) in [(coordinator, place), (detector, node)] {
                    role.signal(SIGTERM)
                    let result = try await role.finish(within: .seconds(120))
                    #expect(result.code == 0, "\(result.errors)")
                    #expect(!FileManager.default.fileExists(atPath: file))
                }
            }
        }
    }

    /// The option is named that makes them fit.
    @Test func tlsOfOneEndAloneIsToldByEachCommand() async throws {
        let files = try await Files.make()
        let picture = try #require(try Self.pictures().first)
        let plain = ["coordinator", "--listen", "127.0.0.1:0"]
        for (arguments, options, words, advice) in [
            (plain, ["--tls-ca", files("home.crt")], "the peer does not speak TLS", "or with --no-tls"),
            (plain + files.identity("server-home"), [], "who is there speaks TLS", "call it with --tls"),
        ] as [([String], [String], String, String)] {
            try await Command.serving(arguments) { _, address in
                for command in [["nodes"], ["pipelines"], ["send", "--pipeline", "detect", picture]] {
                    let result = try await Command.run(command + ["--coordinator", address] + options)
                    Self.expectOneLine(result, code: 3, words)
                    Self.expectOneLine(result, code: 3, advice)
                }
                let health = try await Command.run(["health", address] + options)
                #expect(health.code == 3 && health.output.contains(advice), "\(health.output)")
                let bench = try await Command.run(["bench", "--pipeline", "detect", "--node", address] + options)
                #expect(bench.code == 3 && bench.errors.contains(advice), "\(bench.errors)")
            }
        }
    }

    /// A frame that is on its way when the signal comes is answered; what comes later is refused.
    @Test func aSignalDrainsCallsOverTLS() async throws {
        let files = try await Files.make()
        let identity = files.identity("server-home")
        try await Command.serving(["detector", "--listen", "127.0.0.1:0", "--workers", "1"] + identity) { _, node in
            let arguments =
                ["coordinator", "--listen", "127.0.0.1:0", "--detectors", node, "--node-tls-ca", files("home.crt")]
            try await Command.serving(arguments + identity) { coordinator, address in
                let many = Array(repeating: try #require(try Self.pictures().first), count: 400)
                let client = try Command(
                    ["send", "--coordinator", address, "--pipeline", "detect", "--json", "--tls-ca", files("home.crt")]
                        + many)
                defer { client.signal(SIGKILL) }
                _ = try await client.line(startingWith: "{")
                coordinator.signal(SIGTERM)
                let end = try await coordinator.finish(within: .seconds(120))
                #expect(end.code == 0, "\(end.errors)")
                let result = try await client.finish(within: .seconds(120))
                #expect(result.code != 0, "it ended before all were sent")
                #expect(try AnswerLine.all(result).contains { $0.status == "ok" })
            }
        }
    }

    @Test func aNewCertificateServesWithoutANewStart() async throws {
        let files = try await Files.make()
        let arguments = ["coordinator", "--listen", "127.0.0.1:0"] + files.identity("server-home")
        try await Command.serving(arguments) { _, address in
            func nodes(trusting authority: String) async throws -> Int32 {
                try await Command.run(["nodes", "--coordinator", address, "--tls-ca", files("\(authority).crt")]).code
            }
            #expect(try await nodes(trusting: "home") == 0)
            #expect(try await nodes(trusting: "away") == 3)
            try files.certificates.replace("server-home.crt", with: "server-away.crt")
            try files.certificates.replace("server-home.key", with: "server-away.key")
            let end = ContinuousClock.now + .seconds(120)
            while try await nodes(trusting: "away") != 0, ContinuousClock.now < end {}
            #expect(try await nodes(trusting: "away") == 0)
            #expect(try await nodes(trusting: "home") == 3)
        }
    }
}
