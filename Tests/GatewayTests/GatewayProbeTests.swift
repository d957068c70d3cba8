import AsyncHTTPClient
import Foundation
import NIOCore
import RPC
import TestSupport
import Testing

@testable import Gateway

/// How probes find a gateway, in plain text and over TLS.
@Suite struct GatewayProbeTests {
    private static func ask(
        _ url: String, _ trust: GatewayTrust = GatewayTrust()
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

    /// An answer in time is all of it.
    @Test(.timeLimit(.minutes(5))) func whoStopsInTheMiddleOfAnAnswerIsNotWaitedForWithoutEnd() async throws {
        let answer = try await HalfAnAnswer.with { port in
            let url = try #require(URL(string: "http://127.0.0.1:\(port)/healthz"))
            return await GatewayProbe().ask(url, timeout: .milliseconds(300))
        }
        #expect(answer == .silence("no answer in time"))
    }

    @Test func overTLSItIsKnownByItsAuthorityAndName() async throws {
        let folder = try CertificateFolder()
        for authority in ["ours", "other"] { try await folder.makeAuthority(authority) }
        try await folder.makeCertificate("gateway", by: "ours", alternatives: "DNS:localhost")
        try await TestGateway.with {
            $0.tls = ServerTLS(.files(certificates: folder.path("gateway.crt"), privateKey: folder.path("gateway.key")))
        } _: { gateway in
            func ask(_ host: String, _ trust: GatewayTrust) async throws -> GatewayProbe.Answer {
                try await Self.ask("https://\(host):\(gateway.address.port ?? 0)/healthz", trust)
            }
            let ours = folder.path("ours.crt")
            let byHost = try await ask("localhost", .init(authorities: ours))
            #expect(byHost == .status(200, nil))
            let byName = try await ask("127.0.0.1", .init(authorities: ours, serverName: "localhost"))
            #expect(byName == .status(200, nil))
            let misnamed = try await ask("127.0.0.1", .init(authorities: ours))
            #expect(misnamed == .silence("TLS: the peer's certificate is for another name"))
            for (host, trust) in [
                ("localhost", GatewayTrust(authorities: folder.path("other.crt"))),
                ("localhost", GatewayTrust()), ("localhost", GatewayTrust(authorities: "/nowhere.crt")),
            ] {
                guard case .silence(let reason) = try await ask(host, trust), !reason.isEmpty else {
                    Issue.record("\(host) is trusted with \(trust)")
                    continue
                }
            }
        }
    }

    /// Whoever calls, not only the probe: the load of `framemesh bench` too.
    @Test func theNameThatIsExpectedLeadsToTheSamePlace() throws {
        let url = try #require(URL(string: "https://127.0.0.1:8443/v1/images:analyze?pipeline=detect%2Bclassify"))
        var configuration = HTTPClient.Configuration()
        let named = try GatewayTrust(serverName: "gateway.example").place(url, &configuration)
        #expect(named.absoluteString == "https://gateway.example:8443/v1/images:analyze?pipeline=detect%2Bclassify")
        #expect(configuration.dnsOverride == ["gateway.example": "127.0.0.1"] && configuration.tlsConfiguration != nil)
        var plain = HTTPClient.Configuration()
        #expect(try GatewayTrust().place(url, &plain) == url && plain.dnsOverride.isEmpty)
    }
}
