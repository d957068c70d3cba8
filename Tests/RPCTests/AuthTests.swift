import Foundation
import HTTP2
import Logging
import NIOCore
import TestSupport
import Testing

@testable import RPC

/// Credentials with the tokens `anna`, `bert`, and a certificate.
private enum Known {
    static func digest(_ token: String) -> String {
        PeerCertificate.fingerprint(of: Array(token.utf8))
    }

    static func credentials() throws -> Credentials {
        try Credentials(
            text: """
                # kind value principal scopes

                token sha256:\(digest("anna's-token")) anna read,write
                token\tsha256:\(digest("bert's-token").uppercased())   bert read
                token sha256:\(digest("carl's-token")) carl
                dns Node-1.mesh node-1 read
                uri spiffe://mesh/node-2 node-2 read
                fingerprint \(String(repeating: "ab", count: 32)) operator write
                """)
    }

    static func certificate(
        dns: [String] = [], uris: [String] = [], fingerprint: String = String(repeating: "00", count: 32)
    ) -> PeerCertificate {
        PeerCertificate(commonName: "", dnsNames: dns, uris: uris, fingerprint: fingerprint)
    }
}

@Suite struct CredentialsTests {
    @Test func tokensHaveTheirPrincipal() throws {
        let credentials = try Known.credentials()
        #expect(credentials.principal(bearing: "anna's-token")?.name == "anna")
        #expect(credentials.principal(bearing: "anna's-token")?.scopes == ["read", "write"])
        #expect(credentials.principal(bearing: "bert's-token")?.name == "bert")
        #expect(credentials.principal(bearing: "carl's-token")?.scopes == [])
        for wrong in ["", "anna", "anna's-token ", "Anna's-token", Known.digest("anna's-token")] {
            #expect(credentials.principal(bearing: wrong) == nil)
        }
    }

    @Test func certificatesHaveTheirPrincipal() throws {
        let credentials = try Known.credentials()
        func name(_ certificate: PeerCertificate) -> String? { credentials.principal(of: certificate)?.name }
        #expect(name(Known.certificate(dns: ["other", "NODE-1.mesh"])) == "node-1")
        #expect(name(Known.certificate(uris: ["spiffe://mesh/node-2"])) == "node-2")
        #expect(
            name(Known.certificate(dns: ["node-1.mesh"], fingerprint: String(repeating: "AB", count: 32))) == "operator"
        )
        // Matched as a whole, and each kind by itself.
        #expect(name(Known.certificate(dns: ["x.node-1.mesh", "node-1.mesh.evil", "spiffe://mesh/node-2"])) == nil)
        #expect(name(Known.certificate(uris: ["spiffe://mesh/node-2/x", "node-1.mesh"])) == nil)
        #expect(name(Known.certificate()) == nil)
    }

    @Test(arguments: [
        ("token sha256:abc anna", "line 2: a token is given as sha256: and 64 hexadecimal digits"),
        ("token anna's-token anna", "line 2: a token is given as sha256: and 64 hexadecimal digits"),
        ("dns a.mesh", "line 2: kind, value, caller and scopes are needed"),
        ("dns a.mesh a b c", "line 2: kind, value, caller and scopes are needed"),
        ("password a b", "line 2: the kind is none of token, dns, uri, fingerprint"),
        ("fingerprint 12 a", "line 2: a fingerprint has 64 hexadecimal digits"),
        ("dns a.mesh a\ndns A.mesh b", "line 3: the name is there already"),
    ])
    func aWrongLineIsNamedAndNotRepeated(_ text: String, _ message: String) {
        let error = #expect(throws: RPCError.self) { try Credentials(text: "# first\n" + text) }
        #expect(error?.message == message)
    }

    @Test func aTokenIsThereOnce() {
        let line = "token sha256:\(Known.digest("a")) a\n"
        let error = #expect(throws: RPCError.self) { try Credentials(text: line + line) }
        #expect(error?.message == "line 2: the token is there already")
    }

    @Test func theNumberOfTokensAndTheSizeAreBounded() throws {
        let limits = CredentialLimits()
        let lines = (0...limits.maxTokens).map { "token sha256:\(Known.digest("\($0)")) a" }
        _ = try Credentials(text: lines.dropLast().joined(separator: "\n"))
        #expect(throws: RPCError.self) { try Credentials(text: lines.joined(separator: "\n")) }
        let long = String(repeating: "#", count: limits.maxFileBytes + 1)
        #expect(throws: RPCError.self) { try Credentials(text: long) }
    }

    @Test func aFileIsRead() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "credentials-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let recorder = LogRecorder()
        func write(_ text: String, mode: Int) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        try write("token sha256:\(Known.digest("a")) anna", mode: 0o600)
        #expect(try Credentials(contentsOf: path, logger: recorder.logger).principal(bearing: "a")?.name == "anna")
        #expect(recorder.lines.isEmpty)

        try write("token sha256:\(Known.digest("a")) anna", mode: 0o644)
        _ = try Credentials(contentsOf: path, logger: recorder.logger)
        #expect(recorder.lines.count == 1)
        #expect(recorder.lines.first?.metadata["mode"] == "644")

        try write("nonsense", mode: 0o600)
        let error = #expect(throws: RPCError.self) { try Credentials(contentsOf: path, logger: recorder.logger) }
        #expect(error?.message == "'\(path)', line 1: kind, value, caller and scopes are needed")
        for other in [path + ".not-there", "/dev/zero", "/"] {
            let error = #expect(throws: RPCError.self) { try Credentials(contentsOf: other, logger: recorder.logger) }
            #expect(error?.message.contains("'\(other)'") == true)
        }
    }
}

@Suite struct AccessRulesTests {
    private func access(_ rules: AccessRules, _ service: String, _ method: String) -> AccessRules.Access {
        rules.access(to: MethodDescription(service: service, method: method))
    }

    @Test func everythingNeedsACredentialHealthExcepted() {
        let rules = AccessRules()
        #expect(access(rules, "shop.Orders", "Place") == .authenticated)
        #expect(access(rules, "grpc.reflection.v1.ServerReflection", "ServerReflectionInfo") == .authenticated)
        #expect(rules.access(to: .unknown) == .authenticated)
        for method in ["Check", "Watch", "List"] { #expect(access(rules, "grpc.health.v1.Health", method) == .open) }
        #expect(access(rules, "grpc.health.v1.Healthy", "Check") == .authenticated)
    }

    @Test func theMostSpecialRuleCounts() {
        var rules = AccessRules()
        rules[.everything] = .scopes(["all"])
        rules[.service("shop.Orders")] = .scopes(["orders"])
        rules[.method("shop.Orders", "Delete")] = .scopes(["admin"])
        #expect(access(rules, "shop.Orders", "Delete") == .scopes(["admin"]))
        #expect(access(rules, "shop.Orders", "Place") == .scopes(["orders"]))
        #expect(access(rules, "shop.Other", "Delete") == .scopes(["all"]))
        #expect(rules.access(to: .unknown) == .scopes(["all"]))
        rules[.everything] = nil
        #expect(access(rules, "shop.Other", "Delete") == .authenticated)
    }

    @Test func rulesForWhatIsNotThereAreTold() {
        var rules = AccessRules()
        rules[.service("test.Servic")] = .open
        rules[.method("test.Service", "A")] = .open
        rules[.method("test.Service", "B")] = .open
        let services: [any RPCService] = [
            TableService(methods: ["A": .immediate { _, request in UnaryResponse(request) }]), HealthService(),
        ]
        #expect(Set(rules.unused(by: services)) == [.service("test.Servic"), .method("test.Service", "B")])
    }

    @Test func theRuleForHealthThatNobodyGaveIsNoMistake() {
        let health = AccessRules.Pattern.service("grpc.health.v1.Health")
        var rules = AccessRules()
        #expect(rules.unused(by: []) == [])
        rules[health] = .authenticated
        #expect(rules.unused(by: []) == [health])
    }
}

@Suite(.timeLimit(.minutes(5))) struct AuthTests {
    /// What `authorization` is taken for.
    @Test func oneBearerTokenIsTakenAndNothingElse() {
        func token(_ values: String...) -> AuthInterceptor.Authorization {
            var metadata = Metadata()
            for value in values { metadata.add("authorization", value) }
            return AuthInterceptor.token(metadata)
        }
        #expect(token() == .none)
        #expect(token("Bearer abc") == .bearer("abc"))
        #expect(token("bearer abc") == .bearer("abc"))
        for wrong in ["", "Bearer", "Bearer ", "Bearer a b", "Basic abc", "Bearerabc", "abc", "Bearer  abc"] {
            #expect(token(wrong) == .malformed)
        }
        #expect(token("Bearer abc", "Bearer abc") == .malformed)
    }

    @Test func aTokenThatIsTooLongIsRefusedAndCounted() throws {
        let auth = AuthInterceptor(credentials: try Known.credentials())
        let admit = auth.hooks(for: MethodDescription(service: "a.B", method: "C")).admit
        func error(ofToken bytes: Int) -> RPCError? {
            let metadata: Metadata = ["authorization": "Bearer " + String(repeating: "a", count: bytes)]
            var context = CallContext(
                path: "/a.B/C", metadata: metadata, deadline: nil, peer: "a", takesAttachments: false)
            return #expect(throws: RPCError.self) { try admit?(&context) }
        }
        let most = CredentialLimits().maxTokenBytes
        #expect(error(ofToken: most)?.limit == nil)
        let long = error(ofToken: most + 1)
        #expect(long?.code == .unauthenticated)
        #expect(long?.message == "a valid credential is needed")
        #expect(long?.limit == .tokenBytes)
    }

    /// It would not be there, and the certificate would be looked at in its place.
    @Test(arguments: ["Bearer \u{fc}", "Bearer a\tb", "\u{7f}"])
    func anIllegalTokenIsStillABadOne(_ value: String) throws {
        let metadata = try Metadata.decode([HeaderField("authorization", value)], upTo: 128)
        #expect(AuthInterceptor.token(metadata) == .malformed)
    }

    private static let methods: [String: RPCHandler] = [
        "Now": .immediate { context, _ in UnaryResponse(Payload(context.principal?.name ?? "nobody")) },
        "Later": .unary { context, _ in UnaryResponse(Payload(context.principal?.name ?? "nobody")) },
        "Stream": .stream { context, requests, responses in
            for try await _ in requests { try await responses.write(Payload(context.principal?.name ?? "nobody")) }
        },
    ]

    private static var rules: AccessRules {
        var rules = AccessRules()
        rules[.service("test.Service")] = .scopes(["write"])
        return rules
    }

    private static func options(_ token: String?) -> CallOptions {
        var options = CallOptions()
        options.deadline = .after(.seconds(60))
        if let token { options.metadata.add("authorization", "Bearer \(token)") }
        return options
    }

    @Test func everyMethodAsksForATokenWithItsScope() async throws {
        let auth = AuthInterceptor(credentials: try Known.credentials(), rules: Self.rules)
        try await Loopback.with(Self.methods, interceptors: [auth]) { loopback in
            for method in Self.methods.keys {
                func call(_ token: String?) async throws -> String {
                    try await loopback.connection.unary(
                        loopback.path(method), Payload("x"), options: Self.options(token)
                    ).payload.text
                }
                for wrong in [nil, "wrong", "two words"] {
                    let error = await failure { _ = try await call(wrong) }
                    #expect(error?.code == .unauthenticated)
                    #expect(error?.message == "a valid credential is needed")
                }
                let error = await failure { _ = try await call("bert's-token") }
                #expect(error?.code == .permissionDenied)
                #expect(error?.message == "scope 'write' is needed")
                let name = try await call("anna's-token")
                #expect(name == "anna")
            }
        }
    }

    @Test func noSpellingOfAPathGoesAround() async throws {
        let auth = AuthInterceptor(credentials: try Known.credentials(), rules: Self.rules)
        try await Loopback.with(Self.methods, services: [HealthService()], interceptors: [auth]) { loopback in
            let paths = [
                "test.Service/Now", "//test.Service/Now", "/test.Service//Now", "/test.service/Now",
                "/test.Service/Now/",
                "/test.Service/%4eow", "/grpc.health.v1.Health/../test.Service/Now", "/grpc.health.v1.Health/Check?",
                "/grpc.health.v1.Health/No", "grpc.health.v1.Health/Check", "/",
            ]
            for path in paths {
                let error = await failure {
                    _ = try await loopback.connection.unary(path, Payload(""), options: Self.options(nil))
                }
                // A path without a slash is no request at all (RFC 9113, section 8.3.1).
                #expect(path.hasPrefix("/") ? error?.code == .unauthenticated : error != nil)
            }
            let error = await failure {
                _ = try await loopback.connection.unary(
                    "/no.Such/Method", Payload(""), options: Self.options("bert's-token"))
            }
            #expect(error?.code == .unimplemented)
        }
    }

    @Test func healthIsOpen() async throws {
        let health = HealthService()
        health.set(.serving)
        let auth = AuthInterceptor(credentials: try Known.credentials())
        try await Loopback.with(services: [health], interceptors: [auth]) { loopback in
            let status = try await loopback.connection.checkHealth(options: Self.options(nil))
            #expect(status == .serving)
        }
    }

    @Test func replacedCredentialsCountFromTheNextCall() async throws {
        let auth = AuthInterceptor(credentials: try Known.credentials())
        try await Loopback.with(Self.methods, interceptors: [auth]) { loopback in
            func call() async throws -> String {
                try await loopback.connection.unary(
                    loopback.path("Now"), Payload(""), options: Self.options("anna's-token")
                ).payload.text
            }
            let before = try await call()
            #expect(before == "anna")
            auth.replace(try Credentials(text: ""))
            #expect(await failure { _ = try await call() }?.code == .unauthenticated)
        }
    }

    /// Without sockets: who calls, by what it has shown.
    private func caller(token: String?, _ certificate: PeerCertificate?) throws -> String? {
        var context = CallContext(
            path: "/a/b", metadata: Self.options(token).metadata, deadline: nil, peer: "p", takesAttachments: false)
        context.certificate = certificate
        let auth = AuthInterceptor(credentials: try Known.credentials())
        try auth.hooks(for: MethodDescription(service: "a", method: "b")).admit?(&context)
        return context.principal?.name
    }

    @Test func aCertificateIsACredentialToo() throws {
        let node = Known.certificate(dns: ["node-1.mesh"])
        #expect(try caller(token: nil, node) == "node-1")
        #expect(try caller(token: "anna's-token", node) == "anna")
        // A bad token is not mended by a good certificate.
        let causes: [(String?, PeerCertificate?, AuthInterceptor.Cause)] = [
            (nil, nil, .none), (nil, Known.certificate(), .unknownCertificate), ("wrong", node, .unknownToken),
            ("two words", node, .malformed),
        ]
        for (token, certificate, cause) in causes {
            let error = #expect(throws: RPCError.self) { try caller(token: token, certificate) }
            #expect(error?.code == .unauthenticated)
            #expect(error?.message == "a valid credential is needed")
            #expect(error?.cause as? AuthInterceptor.Cause == cause)
        }
    }
}
