import NIOCore
import TestSupport
import Testing

@testable import RPC

/// Who may call what by the certificate that it has shown, over real mutual TLS.
@Suite(.timeLimit(.minutes(5))) struct CertificateAccessTests {
    private static let methods: [String: RPCHandler] = [
        "Read": .immediate { context, _ in UnaryResponse(Payload(context.principal?.name ?? "nobody")) },
        "Write": .unary { context, _ in UnaryResponse(Payload(context.principal?.name ?? "nobody")) },
        "Watch": .stream { context, _, responses in
            try await responses.write(Payload(context.principal?.name ?? "nobody"))
        },
    ]

    private static func auth(_ credentials: String) throws -> AuthInterceptor {
        var rules = AccessRules()
        rules[.service("test.Service")] = .scopes(["read"])
        rules[.method("test.Service", "Write")] = .scopes(["write"])
        return AuthInterceptor(credentials: try Credentials(text: credentials), rules: rules)
    }

    private func with(
        _ credentials: String, as identity: String?, clients: (CertificateFolder) -> ServerTLS.Clients,
        _ body: (Loopback, AuthInterceptor) async throws -> Void
    ) async throws {
        let files = try await TLSFixture.make()
        let auth = try Self.auth(credentials)
        let health = HealthService()
        health.set(.serving)
        try await Loopback.with(
            Self.methods, services: [health], interceptors: [auth], server: files.server(clients(files)),
            client: files.client(as: identity)
        ) { try await body($0, auth) }
    }

    private static func required(_ files: CertificateFolder) -> ServerTLS.Clients {
        .required(authorities: files.authorities("home"))
    }

    private static func optional(_ files: CertificateFolder) -> ServerTLS.Clients {
        .optional(authorities: files.authorities("home"))
    }

    private func watch(_ loopback: Loopback) async throws -> [String] {
        let call = try await loopback.connection.open(loopback.path("Watch"))
        call.finishSending()
        return try await collect(call.responses)
    }

    @Test(arguments: ["dns camera-7.local camera read", "uri spiffe://mesh/camera/7 camera read"])
    func aCertificateOpensWhatItsScopesAllow(_ credentials: String) async throws {
        try await with(credentials, as: "client-home", clients: Self.required) { loopback, _ in
            let name = try await loopback.unary("Read")
            #expect(name == "camera")
            let names = try await watch(loopback)
            #expect(names == ["camera"])
            let error = await failure { _ = try await loopback.unary("Write") }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message == "scope 'write' is needed")
        }
    }

    @Test func aFingerprintIsThatOfTheCertificateOnTheWire() async throws {
        let files = try await TLSFixture.make()
        let printed = try await files.run(
            ["x509", "-in", files.path("client-home.crt"), "-noout", "-fingerprint", "-sha256"])
        let fingerprint = (printed.split(separator: "=").last ?? "").filter { $0.isHexDigit }.lowercased()
        try await with("fingerprint \(fingerprint) camera read,write", as: "client-home", clients: Self.required) {
            loopback, _ in
            let name = try await loopback.unary("Write")
            #expect(name == "camera")
        }
    }

    /// The names in the certificate that TLS has verified count, and nothing that a client says of itself.
    @Test func anotherCertificateOfTheSameAuthorityOpensNothing() async throws {
        try await with("dns camera-8.local camera read", as: "client-home", clients: Self.required) { loopback, _ in
            for method in ["Read", "Write"] {
                let error = await failure { _ = try await loopback.unary(method) }
                #expect(error?.code == .unauthenticated)
                #expect(error?.message == "a valid credential is needed")
            }
            let error = await failure { _ = try await watch(loopback) }
            #expect(error?.code == .unauthenticated)
            let status = try await loopback.connection.checkHealth(options: CallOptions(deadline: .after(.seconds(60))))
            #expect(status == .serving)
        }
    }

    @Test func withoutACertificateHealthAloneIsOpen() async throws {
        try await with("dns camera-7.local camera read", as: nil, clients: Self.optional) { loopback, _ in
            let error = await failure { _ = try await loopback.unary("Read") }
            #expect(error?.code == .unauthenticated)
            let status = try await loopback.connection.checkHealth(options: CallOptions(deadline: .after(.seconds(60))))
            #expect(status == .serving)
        }
    }

    @Test func whoIsTakenOffTheListIsOutWithTheNextCallOfItsConnection() async throws {
        try await with("dns camera-7.local camera read", as: "client-home", clients: Self.required) { loopback, auth in
            _ = try await loopback.unary("Read")
            auth.replace(try Credentials(text: ""))
            #expect(await failure { _ = try await loopback.unary("Read") }?.code == .unauthenticated)
        }
    }
}
