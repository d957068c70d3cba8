import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport
import Testing

@testable import RPC

/// TLS over real sockets: who is let in, and what the others are told.
@Suite(.timeLimit(.minutes(5))) struct TLSTests {
    static let methods: [String: RPCHandler] = [
        "Echo": .unary { _, payload in UnaryResponse(payload) },
        "Who": .immediate { context, _ in UnaryResponse(Payload(context.certificate?.commonName ?? "nobody")) },
        "Chat": .stream { _, requests, responses in
            for try await request in requests { try await responses.write(request) }
        },
    ]

    /// The message with which connecting fails.
    /// - Parameter mismatch: which the error has to tell.
    private func refusal(
        server: ServerConfiguration, client: ClientConfiguration, mismatch: TLSMismatch? = nil
    ) async throws -> String {
        var message = "nothing was refused"
        try await Loopback.serving(Self.methods, server: server) { server in
            let error = await failure {
                let connection = try await RPCConnection.connect(
                    to: server.address, configuration: client, group: Loopback.group, logger: Loopback.logger)
                connection.close()
            }
            if let error {
                #expect(error.code == .unavailable)
                #expect(error.neverStarted)
                #expect(error.tlsMismatch == mismatch)
                message = error.message
            }
        }
        return message
    }

    @Test func callsOfAllKindsRunOverTLS() async throws {
        let files = try await TLSFixture.make()
        try await Loopback.with(Self.methods, server: files.server(), client: files.client()) { loopback in
            try await loopback.expect("hello", from: "Echo", "hello")
            let large = Payload(ByteBuffer(string: "frame"), attachment: ByteBuffer(repeating: 7, count: 5_000_000))
            let answer = try await loopback.connection.unary(loopback.path("Echo"), large)
            #expect(answer.payload.attachment == large.attachment)
            let call = try await loopback.connection.open(loopback.path("Chat"))
            for index in 0..<100 { try await call.send(Payload("\(index)")) }
            call.finishSending()
            #expect(try await collect(call.responses) == (0..<100).map { "\($0)" })
        }
    }

    @Test func handlersSeeTheVerifiedCertificate() async throws {
        let files = try await TLSFixture.make()
        let server = files.server(.required(authorities: files.authorities("home")))
        let methods: [String: RPCHandler] = [
            "Who": .immediate { context, _ in
                let certificate = context.certificate
                #expect(certificate?.commonName == "camera 7")
                #expect(certificate?.dnsNames == ["camera-7.local"])
                #expect(certificate?.uris == ["spiffe://mesh/camera/7"])
                #expect(certificate?.emails == ["camera@example.com"])
                #expect(certificate?.ipAddresses == ["10.0.0.7", "fd00::1"])
                return UnaryResponse(Payload(certificate?.fingerprint ?? ""))
            }
        ]
        try await Loopback.with(methods, server: server, client: files.client(as: "client-home")) { loopback in
            let printed = try await files.run(
                ["x509", "-in", files.path("client-home.crt"), "-noout", "-fingerprint", "-sha256"])
            let fingerprint = printed.split(separator: "=").last?.replacing(":", with: "").lowercased()
            let seen = try await loopback.unary("Who")
            #expect(seen == fingerprint?.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }

    @Test func aServerMayAskForCertificatesOrNot() async throws {
        let files = try await TLSFixture.make()
        let optional = ServerTLS.Clients.optional(authorities: files.authorities("home"))
        for (clients, identity, expected) in [
            (ServerTLS.Clients.anyone, nil, "nobody"), (.anyone, "client-home", "nobody"),
            (optional, nil, "nobody"), (optional, "client-home", "camera 7"),
        ] {
            try await Loopback.with(Self.methods, server: files.server(clients), client: files.client(as: identity)) {
                try await $0.expect(expected, from: "Who", "")
            }
        }
        let refused = try await refusal(server: files.server(optional), client: files.client(as: "client-away"))
        #expect(refused.contains("TLS: "))
    }

    @Test func aClientWithoutTheRightCertificateIsTold() async throws {
        let files = try await TLSFixture.make()
        let server = files.server(.required(authorities: files.authorities("home")))
        let without = try await refusal(server: server, client: files.client())
        #expect(without.contains("TLS: the peer wants a certificate of ours, and got none ("))
        let strange = try await refusal(server: server, client: files.client(as: "client-away"))
        #expect(strange.contains("TLS: the peer does not t"), "\(strange)")
    }

    private static let untrusted =
        "TLS: the peer's certificate is of an authority that is not trusted here (certificate verify failed)"

    @Test func aCertificateThatIsTooOldOrTooNewIsCalledSo() async throws {
        #expect(TLSTrouble.unverified((from: 10, to: 20), 21) == "the peer's certificate has expired")
        #expect(TLSTrouble.unverified((from: 10, to: 20), 9) == "the peer's certificate is not valid yet")
        #expect(TLSTrouble.unverified((from: 10, to: 20), 15).hasSuffix("not trusted here"))
        let files = try await TLSFixture.make()
        // Yesterday was its last day.
        let (key, request) = (files.path("server-home.key"), files.path("old.csr"))
        _ = try await files.run(
            ["x509", "-x509toreq", "-in", files.path("server-home.crt"), "-signkey", key, "-out", request])
        _ = try await files.run(
            ["x509", "-req", "-in", request, "-CA", files.path("home.crt"), "-CAkey", files.path("home.key")]
                + ["-days", "-1", "-out", files.path("old.crt")])
        try files.replace("server-home.crt", with: "old.crt")
        let refused = try await refusal(server: files.server(), client: files.client())
        #expect(
            refused.hasSuffix("TLS: the peer's certificate has expired (certificate verify failed)"), "\(refused)")
    }

    @Test func aClientVerifiesAuthorityAndName() async throws {
        let files = try await TLSFixture.make()
        let strange = try await refusal(server: files.server(), client: files.client(trusting: "away"))
        #expect(strange.hasSuffix(Self.untrusted), "\(strange)")
        var system = ClientConfiguration.patient
        system.tls = ClientTLS()
        #expect(try await refusal(server: files.server(), client: system).hasSuffix(Self.untrusted))
        let misnamed = try await refusal(server: files.server(), client: files.client(serverName: "example.com"))
        #expect(misnamed.hasSuffix("TLS: the peer's certificate is for another name"))
        try await Loopback.with(
            Self.methods, server: files.server(), client: files.client(serverName: "localhost")
        ) { try await $0.expect("x", from: "Echo", "x") }
    }

    @Test func anAddressAsNameIsOneOfTheCertificatesAddresses() async throws {
        let files = try await TLSFixture.make()
        // It is that of the peer, but not the one that was asked for.
        let misnamed = try await refusal(server: files.server(), client: files.client(serverName: "10.0.0.7"))
        #expect(misnamed.hasSuffix("TLS: the peer's certificate is for another name"))
        try await Loopback.with(
            Self.methods, server: files.server(), client: files.client(serverName: "127.0.0.1")
        ) { try await $0.expect("x", from: "Echo", "x") }
        let strange = try await refusal(
            server: files.server(), client: files.client(trusting: "away", serverName: "127.0.0.1"))
        #expect(strange.hasSuffix(Self.untrusted))
    }

    @Test func overASocketInTheFileSystemAnAddressIsANameToo() async throws {
        let files = try await TLSFixture.make()
        let path = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString.prefix(8)).sock")
            .path
        let server = try await RPCServer.bind(
            unixSocket: path, configuration: files.server(), services: [TableService(methods: Self.methods)],
            group: Loopback.group, logger: Loopback.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            for (name, isRight) in [("127.0.0.1", true), ("10.0.0.7", false)] {
                let error = await failure {
                    let connection = try await RPCConnection.connect(
                        to: server.address, configuration: files.client(serverName: name), group: Loopback.group,
                        logger: Loopback.logger)
                    connection.close()
                }
                #expect((error == nil) == isRight)
            }
            tasks.cancelAll()
        }
    }

    @Test func aTextIsANameOrAnAddress() {
        let certificate = PeerCertificate(
            commonName: "", dnsNames: ["10.0.0.1", "node"], uris: [], ipAddresses: ["10.0.0.7", "fd00::1"],
            fingerprint: "")
        for (text, isBorne) in [
            ("10.0.0.7", true), ("fd00:0:0::1", true), ("10.0.0.1", false), ("node", true), ("fd00::2", false),
        ] {
            #expect(ServerName(text).isBorne(by: certificate) == isBorne, "\(text)")
        }
    }

    @Test func aNameIsOneOfTheCertificatesDNSNames() {
        let certificate = PeerCertificate(
            commonName: "common.name", dnsNames: ["Node-1.local", "*.mesh.example"], uris: [], fingerprint: "")
        for (host, isFor) in [
            ("node-1.local", true), ("NODE-1.LOCAL", true), ("a.mesh.example", true), ("mesh.example", false),
            ("a.b.mesh.example", false), ("common.name", false), ("", false), ("*.mesh.example", true),
        ] {
            #expect(certificate.isFor(host: host) == isFor, "\(host)")
        }
    }

    @Test func plainTextAndTLSDoNotMix() async throws {
        let files = try await TLSFixture.make()
        let plainClient = try await refusal(server: files.server(), client: .patient, mismatch: .peerHasTLS)
        #expect(plainClient.contains("cannot connect to 127.0.0.1"))
        #expect(plainClient.hasSuffix("who is there speaks TLS, and was called without it"), "\(plainClient)")
        let plainServer = try await refusal(server: .init(), client: files.client(), mismatch: .peerHasNone)
        #expect(plainServer.contains("TLS: the peer does not speak TLS (wrong version number)"), "\(plainServer)")
    }

    /// A client or server that knows TLS and nothing else.
    private func stranger(_ files: CertificateFolder, protocols: [String], newest: TLSVersion = .tlsv13) throws
        -> NIOSSLContext
    {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(files.path("home.crt"))
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(files.path("server-home.crt")).map {
            .certificate($0)
        }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: files.path("server-home.key"), format: .pem))
        configuration.certificateVerification = .none
        configuration.applicationProtocols = protocols
        configuration.maximumTLSVersion = newest
        return try NIOSSLContext(configuration: configuration)
    }

    @Test(arguments: [(["http/1.1"], TLSVersion.tlsv13), ([], .tlsv13), (["h2"], .tlsv11)])
    func aServerRefusesThoseWhoDoNotSpeakHTTP2OverTLS12(_ protocols: [String], _ newest: TLSVersion) async throws {
        let files = try await TLSFixture.make()
        try await Loopback.serving(Self.methods, server: files.server()) { server in
            let context = try stranger(files, protocols: protocols, newest: newest)
            let channel = try await ClientBootstrap(group: Loopback.group).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                }
            }.connect(to: server.address).get()
            try await channel.closeFuture.get()
        }
    }

    @Test func aClientNeedsAServerThatChoosesHTTP2() async throws {
        let files = try await TLSFixture.make()
        let context = try stranger(files, protocols: [])
        let server = try await ServerBootstrap(group: Loopback.group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress)
        let error = await failure {
            _ = try await RPCConnection.connect(
                to: address, configuration: files.client(), group: Loopback.group, logger: Loopback.logger)
        }
        #expect(error?.message.hasSuffix("TLS: both ends agreed on no protocol, not on HTTP/2 (ALPN 'h2')") == true)
        try await server.close()
    }

    @Test(arguments: [false, true])
    func aHandshakeHasOneTimeLimitForTLSAndHTTP2(_ finishesTLS: Bool) async throws {
        let files = try await TLSFixture.make()
        var configuration = files.server()
        configuration.handshakeTimeout = .milliseconds(300)
        try await Loopback.serving(Self.methods, server: configuration) { server in
            let context = try stranger(files, protocols: ["h2"])
            let channel = try await ClientBootstrap(group: Loopback.group).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard finishesTLS else { return }
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                }
            }.connect(to: server.address).get()
            try await channel.closeFuture.get()
        }
    }

    @Test func filesThatCannotBeUsedAreNamed() async throws {
        let files = try await TLSFixture.make()
        try Data("no certificate".utf8).write(to: files.folder.appending(path: "empty.crt"))
        for (identity, trouble) in [
            (TLSIdentity.files(certificates: "/no/such.crt", privateKey: files.path("home.key")), "'/no/such.crt'"),
            (.files(certificates: files.path("empty.crt"), privateKey: files.path("home.key")), "holds no certificate"),
            (
                .files(certificates: files.path("server-home.crt"), privateKey: files.path("server-home.crt")),
                "holds no private key"
            ),
            (.files(certificates: files.path("server-home.crt"), privateKey: files.path("home.key")), "cannot use"),
        ] {
            var configuration = ServerConfiguration()
            configuration.tls = ServerTLS(identity)
            let error = await failure {
                _ = try await RPCServer.bind(
                    host: "127.0.0.1", port: 0, configuration: configuration, services: [], group: Loopback.group,
                    logger: Loopback.logger)
            }
            #expect(error?.message.contains(trouble) == true, "\(error?.message ?? "nothing")")
        }
    }
}
