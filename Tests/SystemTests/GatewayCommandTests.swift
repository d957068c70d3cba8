import Foundation
import TestSupport
import Testing

/// `framemesh gateway` and `framemesh health`, as scripts see them.
@Suite(.timeLimit(.minutes(10))) struct GatewayCommandTests {
    private static func with(
        _ arguments: [String], _ body: (_ address: String) async throws -> Void
    ) async throws {
        let data = try Place.temporary("gateway")
        defer { try? FileManager.default.removeItem(at: data) }
        let gateway = try Command(
            ["gateway", "--listen", "127.0.0.1:0", "--coordinator", "127.0.0.1:1", "--data", data.path] + arguments)
        do {
            try await body(try await gateway.line(startingWith: "ready "))
        } catch {
            gateway.signal(SIGKILL)
            throw error
        }
        gateway.signal(SIGTERM)
        #expect(try await gateway.finish(within: .seconds(120)).code == 0)
    }

    @Test func everythingThatIsWrongWithAConfigurationIsSaidAtOnce() async throws {
        let folder = try Place.temporary("check")
        defer { try? FileManager.default.removeItem(at: folder) }
        let tokens = folder.appending(path: "tokens").path
        try "token sha256:\(String(repeating: "0", count: 64)) a analize\n".write(
            toFile: tokens, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tokens)
        let wrong = [
            "--stream-allow": "a b", "--webhook-allow": "http://x", "--cors-origin": "foo", "--host-name": "c/d",
            "--camera-folder": "/nope", "--data": "/proc/x", "--tokens": tokens, "--stream-authorities": "/nope.pem",
        ]
        let result = try await Command.run(["gateway", "--check-config"] + wrong.flatMap { [$0.key, $0.value] })
        #expect(result.code == 2 && result.output.isEmpty)
        #expect(result.errorLines.count == wrong.count, "\(result.errors)")
        for words in ["'a b'", "'http://x'", "'foo'", "'c/d'", "/nope ", "/proc/x", "'analize'", "/nope.pem"] {
            #expect(result.errors.contains(words), "no \(words) in \(result.errors)")
        }
        #expect(result.errorLines.allSatisfy { $0.hasPrefix("framemesh: ") })
    }

    @Test(arguments: [
        ["--stream-allow", "a b"], ["--webhook-allow", "a b"], ["--camera-folder", "/nope"], ["--cors-origin", "foo"],
        ["--host-name", "a/b"], ["--listen", "1.2.3.4.5:1"], ["--database", "mysql://x"], ["--limit", "viewers=none"],
    ])
    func aWrongValueIsWrongUsageAtAStartToo(_ arguments: [String]) async throws {
        let result = try await Command.run(["gateway", "--listen", "127.0.0.1:0"] + arguments)
        #expect(result.code == 2 && result.errorLines.count == 1, "\(result.code): \(result.errors)")
    }

    @Test func whatIsRightIsShownAndLeavesNothing() async throws {
        let folder = try Place.temporary("check")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await Command.run(
            ["gateway", "--check-config", "--data", folder.appending(path: "new").path, "--host-name", "gate.example"])
        #expect(result.code == 0 && result.output.contains(#""role":"gateway""#), "\(result.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func healthTellsAGatewayThatAnswersFromOneThatIsReady() async throws {
        try await Self.with([]) { address in
            let well = try await Command.run(["health", "http://\(address)"])
            #expect(well.code == 0 && well.output == "http://\(address) 200\n", "\(well.output)")
            let unready = try await Command.run(["health", "--ready", "--timeout", "60", "http://\(address)"])
            #expect(unready.code == 1)
            #expect(unready.output == "http://\(address) 503: no coordinator answers\n", "\(unready.output)")
            let asRole = try await Command.run(["health", "--timeout", "60", address])
            #expect(asRole.code == 1)
            let sent = try await Command.run(
                [
                    "send", "--pipeline", "detect", "--coordinator", address,
                    Place.demo.appending(path: "numbers-01.jpg").path,
                ])
            #expect(sent.code == 3)
            #expect(sent.errors.contains("who is there speaks HTTP/1, not HTTP/2: a web server or gateway?"))
            #expect(asRole.output.contains("speaks HTTP, not gRPC: for a gateway ask http://\(address)"))
        }
    }

    /// The port is taken for both: for which it is named is what is tried first.
    @Test func metricsAreThereBeforeTheRoleIs() async throws {
        try await Self.with([]) { address in
            for role in [["gateway"], ["coordinator", "--detectors", "none"], ["detector"]] {
                let second = try await Command.run(role + ["--listen", address, "--metrics-listen", address])
                #expect(second.code == 3 && second.output.isEmpty, "\(second.code): \(second.output)")
                #expect(second.errors.contains("\(address) for metrics"), "\(second.errors)")
            }
        }
    }
}
