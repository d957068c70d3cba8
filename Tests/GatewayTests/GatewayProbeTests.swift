import Foundation
import NIOCore
import RPC
import TestSupport
import Testing

@testable import Gateway

/// How probes find a gateway, in plain text and over TLS.
@Suite struct GatewayProbeTests {
    private static func ask(
        _ url: String, _ trust: GatewayProbe.Trust = GatewayProbe.Trust()
    ) async throws -> GatewayProbe.Answer {
        await GatewayProbe(trust).ask(try #require(URL(string: url)), timeout: .seconds(60))
    }

    @Test func itIsWellAndNotReadyAndSaysWhy() async throws {
        try await TestGateway.with { gateway in
            let health = try await Self.ask(gateway.base + "/healthz")
            #expect(health == .status(200, nil))
            let readiness = try await Self.ask(gateway.base + "/readyz")
            #expect(readiness == .status(503, "no coordinator answers"))
        }
        guard case .silence = try await Self.ask("http://127.0.0.1:1/healthz") else {
            Issue.record("nobody listens there")
            return
        }
    }

    @Test func overTLSItIsKnownByItsAuthorityAndName() async throws {
        let folder = try CertificateFolder()
        for authority in ["ours", "other"] { try await folder.makeAuthority(authority) }
        try await folder.makeCertificate("gateway", by: "ours", alternatives: "DNS:localhost")
        try await TestGateway.with {
            $0.tls = ServerTLS(.files(certificates: folder.path("gateway.crt"), privateKey: folder.path("gateway.key")))
        } _: { gateway in
            func ask(_ host: String, _ trust: GatewayProbe.Trust) async throws -> GatewayProbe.Answer {
                try await Self.ask("https://\(host):\(gateway.address.port ?? 0)/healthz", trust)
            }
            let ours = folder.path("ours.crt")
            let byHost = try await ask("localhost", .init(authorities: ours))
            #expect(byHost == .status(200, nil))
            let byName = try await ask("127.0.0.1", .init(authorities: ours, serverName: "localhost"))
            #expect(byName == .status(200, nil))
            for (host, trust) in [
                ("localhost", GatewayProbe.Trust(authorities: folder.path("other.crt"))),
                ("127.0.0.1", GatewayProbe.Trust(authorities: ours)), ("localhost", GatewayProbe.Trust()),
                ("localhost", GatewayProbe.Trust(authorities: "/nowhere.crt")),
            ] {
                guard case .silence(let reason) = try await ask(host, trust), !reason.isEmpty else {
                    Issue.record("\(host) is trusted with \(trust)")
                    continue
                }
            }
        }
    }
}
