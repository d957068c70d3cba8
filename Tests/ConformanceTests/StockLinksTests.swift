import Foundation
import NIOCore
import Services
import TestSupport
import Testing

@testable import RPC

/// Stock gRPC (Python, grpcio) and we over TLS, mutual TLS and Unix-domain sockets, and what each thinks of the other's
/// PINGs.
@Suite(.serialized) struct StockLinksTests {
    /// An authority `home` with `server` and `client`, and a `client-away` of another one.
    private func certificates() async throws -> CertificateFolder {
        let files = try CertificateFolder()
        for authority in ["home", "away"] { try await files.makeAuthority(authority) }
        try await files.makeCertificate("server", by: "home", alternatives: "DNS:localhost,IP:127.0.0.1")
        try await files.makeCertificate("client", by: "home")
        try await files.makeCertificate("client-away", by: "away")
        return files
    }

    private func identity(_ files: CertificateFolder, _ name: String) -> TLSIdentity {
        .files(certificates: files.path("\(name).crt"), privateKey: files.path("\(name).key"))
    }

    /// Our server, while links.py runs its check.
    private func expect(
        _ check: String, on address: ServerAddress = .host("127.0.0.1", port: 0), _ rest: [String] = [],
        configure: (inout ServerConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.maxMessageBytes = 8 << 20
        configure(&configuration)
        let server = try await RPCServer.bind(
            to: address, configuration: configuration, services: [InteropService(health: HealthService())],
            budget: MemoryBudget(limit: 256 << 20), group: OurServer.group, logger: OurServer.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let target = server.address.port.map { "localhost:\($0)" } ?? server.address.readable
            let client = try PythonScript.start("links.py", [target, check] + rest)
            let result = try await client.finish(within: .seconds(300))
            #expect(result.code == 0, "\(check) failed: \(result.errors)")
            #expect(result.output.hasPrefix("ok \(check) "))
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }

    @Test func aStockClientSpeaksTLSWithUs() async throws {
        let files = try await certificates()
        try await expect("calls", [files.folder.path]) { $0.tls = ServerTLS(identity(files, "server")) }
    }

    @Test func aStockClientMustShowTheRightCertificate() async throws {
        let files = try await certificates()
        for (check, rest) in [("calls", ["client"]), ("refused", []), ("refused", ["client-away"])] {
            try await expect(check, [files.folder.path] + rest) {
                $0.tls = ServerTLS(identity(files, "server"))
                $0.tls?.clients = .required(authorities: .file(files.path("home.crt")))
            }
        }
    }

    @Test func aStockClientSpeaksThroughAUnixSocket() async throws {
        let files = try CertificateFolder()
        try await expect("calls", on: ServerAddress(parsing: "unix:\(files.path("s"))"))
    }

    @Test func aStockClientMayAskAsOftenAsThePolicySays() async throws {
        try await expect("pings_are_allowed") {
            $0.pings.minTime = .milliseconds(1)
            $0.pings.permitWithoutCalls = true
        }
        try await expect("too_many_pings")
    }

    @Test(arguments: [false, true])
    func weSpeakTLSWithAStockServer(_ showsCertificate: Bool) async throws {
        let files = try await certificates()
        try await StockServer.with("tls=\(files.folder.path)", "mutual=\(showsCertificate ? 1 : 0)") { client in
            client.tls = ClientTLS(trust: .authorities(.file(files.path("home.crt"))))
            if showsCertificate { client.tls?.identity = identity(files, "client") }
        } body: { stock in
            for text in ["hello", String(repeating: "x", count: 3_000_000)] {
                let answer = try await stock.unary("Echo", text)
                #expect(answer == text)
            }
        }
    }

    @Test func aStockServerThatWantsACertificateRefusesUsWithoutOne() async throws {
        let files = try await certificates()
        await #expect(throws: RPCError.self) {
            try await StockServer.with("tls=\(files.folder.path)", "mutual=1") { client in
                client.tls = ClientTLS(trust: .authorities(.file(files.path("home.crt"))))
            } body: { _ in
            }
        }
    }

    @Test func aStockServerSendsUsAwayWhenWeAskTooOften() async throws {
        var keepalive = ClientKeepalive()
        keepalive.minTime = .zero
        keepalive.time = .milliseconds(50)
        keepalive.permitWithoutCalls = true
        try await StockServer.with { [keepalive] in
            $0.keepalive = keepalive
        } body: { stock in
            #expect(await stock.connection.closed().message.contains("ENHANCE_YOUR_CALM: too_many_pings"))
            #expect(keepalive.effectiveTime == .milliseconds(100))
        }
    }
}
