import Foundation
import Glibc
import TestSupport
import Testing

/// gRPC's interoperability tests: `rpc-interop` against itself, and both of its halves against stock gRPC in Python.
@Suite(.serialized) struct InteropTests {
    static let all = [
        "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
        "client_compressed_unary", "server_compressed_unary", "client_compressed_streaming",
        "server_compressed_streaming", "custom_metadata", "status_code_and_message", "special_status_message",
        "unimplemented_method", "unimplemented_service", "cancel_after_begin", "cancel_after_first_response",
        "timeout_on_sleeping_server",
    ]

    /// A server in Python does not see whether a request came compressed.
    static let ofAPythonServer = all.filter { !$0.hasPrefix("client_compressed") }

    // ---- ours against ours ----

    @Test(arguments: all)
    func ourClientIsSatisfiedWithOurServer(_ test: String) async throws {
        try await withOurServer { port in try await runOurClient(port, test) }
    }

    @Test func allTestsRunInOneProcess() async throws {
        try await withOurServer { port in
            let client = try ourClient(port, "all")
            let result = try await client.finish(within: .seconds(300))
            #expect(result.lines.sorted() == Self.all.map { "PASS \($0)" }.sorted())
            #expect(result.code == 0)
        }
    }

    @Test func aTestThatFailsSaysWhy() async throws {
        // Python's server never refuses an uncompressed request.
        try await withPythonServer { port in
            let client = try ourClient(port, "empty_unary,client_compressed_unary")
            let result = try await client.finish(within: .seconds(300))
            #expect(
                result.lines == [
                    "PASS empty_unary",
                    "FAIL client_compressed_unary: the probe did not fail, wanted INVALID_ARGUMENT",
                ])
            #expect(result.code == 1)
        }
    }

    @Test func anUnknownTestIsNamed() async throws {
        let result = try await ourClient(1, "large_binary").finish(within: .seconds(60))
        #expect(result.code != 0)
        #expect(result.errors.contains("test case 'large_binary' is not known"))
    }

    @Test func aServerThatIsNotThereFailsTheTest() async throws {
        let result = try await ourClient(1, "empty_unary").finish(within: .seconds(120))
        #expect(result.code == 1)
        #expect(result.output.hasPrefix("FAIL empty_unary: UNAVAILABLE"))
    }

    /// As the scripts of other languages call it.
    @Test(arguments: [
        ["--use_tls=false", "--use_test_ca=true"], ["--use_test_ca", "--use_tls", "false"], ["--use_tls=false"],
    ])
    func plaintextMayBeAskedFor(_ flags: [String]) async throws {
        try await withOurServer { port in
            let client = try OurExecutable.start(
                ["client"] + flags + [
                    "--server_host=127.0.0.1", "--server_host_override=foo.test.google.fr", "--server_port=\(port)",
                    "--test_case=empty_unary",
                ])
            #expect(try await client.finish(within: .seconds(300)).lines == ["PASS empty_unary"])
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalDrainsTheServer(_ signal: Int32) async throws {
        let server = try OurExecutable.start(["server", "--port", "0", "--host", "127.0.0.1"])
        defer { server.signal(SIGKILL) }
        _ = try await server.line(startingWith: "listening on port ")
        server.signal(signal)
        #expect(try await server.finish(within: .seconds(120)).code == 0)
    }

    // ---- with TLS ----

    @Test func allTestsPassOverTLSWithOursAndWithPython() async throws {
        let certificates = try CertificateFolder()
        try await certificates.makeAuthority("authority")
        try await certificates.makeCertificate("server", by: "authority", alternatives: "DNS:localhost")
        let authorities = certificates.path("authority.crt")
        let server = try OurExecutable.start([
            "server", "--port=0", "--host=127.0.0.1", "--use_tls=true",
            "--tls_cert_file=\(certificates.path("server.crt"))", "--tls_key_file=\(certificates.path("server.key"))",
        ])
        defer { server.signal(SIGKILL) }
        let port = try await server.line(startingWith: "listening on port ")
        let ours = try OurExecutable.start([
            "client", "--server_host=127.0.0.1", "--server_host_override=localhost", "--server_port=\(port)",
            "--test_case=all", "--use_tls", "--ca_file=\(authorities)",
        ])
        let result = try await ours.finish(within: .seconds(300))
        #expect(result.lines.sorted() == Self.all.map { "PASS \($0)" }.sorted())
        let python = try PythonScript.start(
            "interop_client.py", [port, Self.all.joined(separator: ","), authorities])
        #expect(try await python.finish(within: .seconds(300)).lines == Self.all.map { "PASS \($0)" })
        let stranger = try OurExecutable.start([
            "client", "--server_port=\(port)", "--test_case=empty_unary", "--use_tls",
        ])
        #expect(try await stranger.finish(within: .seconds(300)).output.hasPrefix("FAIL empty_unary: UNAVAILABLE"))
        withExtendedLifetime(certificates) {}
    }

    // ---- and with Python ----

    @Test(arguments: ofAPythonServer)
    func ourClientIsSatisfiedWithAPythonServer(_ test: String) async throws {
        try await withPythonServer { port in try await runOurClient(port, test) }
    }

    @Test(arguments: all)
    func aPythonClientIsSatisfiedWithOurServer(_ test: String) async throws {
        try await withOurServer { port in
            let client = try PythonScript.start("interop_client.py", ["\(port)", test])
            let result = try await client.finish(within: .seconds(300))
            #expect(result.code == 0, "\(test) failed: \(result.errors)")
            #expect(result.lines == ["PASS \(test)"])
        }
    }

    // ---- processes ----

    private func withOurServer(_ body: (Int) async throws -> Void) async throws {
        let server = try OurExecutable.start(["server", "--port", "0", "--host", "127.0.0.1"])
        defer { server.signal(SIGKILL) }
        let text = try await server.line(startingWith: "listening on port ")
        try await body(try #require(Int(text)))
    }

    private func withPythonServer(_ body: (Int) async throws -> Void) async throws {
        let server = try PythonScript.start("interop_server.py", [])
        defer { server.signal(SIGKILL) }
        let text = try await server.line(startingWith: "ready ", within: .seconds(180))
        try await body(try #require(Int(text)))
    }

    private func ourClient(_ port: Int, _ tests: String) throws -> ChildProcess {
        try OurExecutable.start([
            "client", "--server_host=127.0.0.1", "--server_port=\(port)", "--test_case=\(tests)",
        ])
    }

    private func runOurClient(_ port: Int, _ test: String) async throws {
        let result = try await ourClient(port, test).finish(within: .seconds(300))
        #expect(result.lines == ["PASS \(test)"])
        #expect(result.code == 0, "\(result.errors)")
    }
}

/// `rpc-interop`, built beside this test bundle.
enum OurExecutable {
    private static let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent()

    static func start(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(folder.appending(path: "rpc-interop"), arguments)
    }
}
