import Foundation
import NIOCore
import RPC
import TestSupport
import Testing

@testable import Gateway

/// HTTPS, as curl sees it.
@Suite struct TLSTests {
    /// - Returns: curl's exit status, and what it printed: status and body.
    private static func curl(_ gateway: TestGateway, _ arguments: [String]) async throws -> ChildProcess.Result {
        try await ChildProcess(
            URL(fileURLWithPath: "/usr/bin/curl"),
            ["-sS", "--max-time", "60", "-w", "\n%{http_code}"] + arguments
                + ["https://localhost:\(gateway.address.port!)/healthz"]
        ).finish(within: .seconds(120))
    }

    private static func certificates() async throws -> CertificateFolder {
        let folder = try CertificateFolder()
        for authority in ["old", "new"] {
            try await folder.makeAuthority(authority)
            try await folder.makeCertificate("\(authority)-gateway", by: authority, alternatives: "DNS:localhost")
        }
        try folder.replace("tls.crt", with: "old-gateway.crt")
        try folder.replace("tls.key", with: "old-gateway.key")
        return folder
    }

    private static func with(
        clients: ServerTLS.Clients = .anyone, _ body: (TestGateway, CertificateFolder) async throws -> Void
    ) async throws {
        let folder = try await certificates()
        try await TestGateway.with {
            var tls = ServerTLS(.files(certificates: folder.path("tls.crt"), privateKey: folder.path("tls.key")))
            tls.reloadInterval = .milliseconds(20)
            if case .required = clients { tls.clients = .required(authorities: .file(folder.path("old.crt"))) }
            $0.tls = tls
        } _: { gateway in
            try await body(gateway, folder)
        }
    }

    @Test func aClientThatTrustsTheAuthorityIsServedAndAnotherHangsUp() async throws {
        try await Self.with { gateway, folder in
            let served = try await Self.curl(gateway, ["--cacert", folder.path("old.crt")])
            #expect(served.code == 0 && served.lines.last == "200", "\(served.errors)")
            #expect(served.output.contains(#""status":"ok""#))
            // curl: the peer's certificate cannot be verified.
            #expect(try await Self.curl(gateway, ["--cacert", folder.path("new.crt")]).code == 60)
        }
    }

    @Test func whoSpeaksPlainHTTPIsNotServed() async throws {
        try await Self.with { gateway, _ in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await !peer.untilClosed().contains("HTTP/1.1 200"))
        }
    }

    @Test func anExchangedCertificateIsShownToNewConnections() async throws {
        try await Self.with { gateway, folder in
            try folder.replace("tls.crt", with: "new-gateway.crt")
            try folder.replace("tls.key", with: "new-gateway.key")
            let end = ContinuousClock.now + .seconds(120)
            var last = try await Self.curl(gateway, ["--cacert", folder.path("new.crt")])
            while last.code == 60, ContinuousClock.now < end {
                last = try await Self.curl(gateway, ["--cacert", folder.path("new.crt")])
            }
            #expect(last.code == 0 && last.lines.last == "200", "\(last.errors)")
        }
    }

    @Test func whereClientsNeedCertificatesOneWithoutIsNotServed() async throws {
        try await Self.with(clients: .required(authorities: .file(""))) { gateway, folder in
            let trust = ["--cacert", folder.path("old.crt")]
            #expect(try await Self.curl(gateway, trust).lines.last != "200")
            let shown = try await Self.curl(
                gateway,
                trust + ["--cert", folder.path("old-gateway.crt"), "--key", folder.path("old-gateway.key")])
            #expect(shown.lines.last == "200", "\(shown.errors)")
        }
    }
}
