import Foundation
import TestSupport
import Testing

@testable import RPC

/// Certificates are exchanged while a server runs. `home` is the authority before, `away` the one after.
@Suite(.timeLimit(.minutes(5))) struct CertificateReloadTests {
    /// Serves with `tls.crt` and `tls.key`, which are `server-home` at first.
    private func serving(
        _ files: CertificateFolder, every interval: Duration = .zero, _ body: (RPCServer) async throws -> Void
    ) async throws {
        try exchange(files, "server-home")
        var configuration = ServerConfiguration()
        configuration.tls = ServerTLS(files.identity("tls"))
        configuration.tls?.reloadInterval = interval
        try await Loopback.serving(TLSTests.methods, server: configuration, body)
    }

    private func exchange(_ files: CertificateFolder, _ name: String) throws {
        for kind in ["crt", "key"] { try files.replace("tls.\(kind)", with: "\(name).\(kind)") }
    }

    private func connect(
        _ server: RPCServer, _ client: ClientConfiguration
    ) async throws -> RPCConnection {
        try await RPCConnection.connect(
            to: server.address, configuration: client, group: Loopback.group, logger: Loopback.logger)
    }

    private func echo(_ connection: RPCConnection) async throws {
        let answer = try await connection.unary("/test.Service/Echo", Payload("x"))
        #expect(answer.payload.text == "x")
    }

    @Test func newConnectionsGetTheNewCertificateAndOldOnesGoOn() async throws {
        let files = try await TLSFixture.make()
        try await serving(files) { server in
            let old = try await connect(server, files.client())
            try exchange(files, "server-away")
            try await server.reloadCertificates()
            let new = try await connect(server, files.client(trusting: "away"))
            #expect(await failure { _ = try await connect(server, files.client()) } != nil)
            try await echo(old)
            try await echo(new)
            old.close()
            new.close()
        }
    }

    @Test func filesThatCannotBeUsedLeaveTheOldCertificate() async throws {
        let files = try await TLSFixture.make()
        try await serving(files) { server in
            try Data("half a certif".utf8).write(to: files.folder.appending(path: "tls.crt"))
            let error = await failure { try await server.reloadCertificates() }
            #expect(error?.message.contains("holds no certificate") == true)
            try files.replace("tls.crt", with: "server-away.crt")
            #expect(await failure { try await server.reloadCertificates() }?.message.contains("cannot use") == true)
            try await connect(server, files.client()).close()
            try files.replace("tls.key", with: "server-away.key")
            try await server.reloadCertificates()
            try await connect(server, files.client(trusting: "away")).close()
        }
    }

    /// A mounted secret: `tls.crt` points into `..data`, which points to a folder, and is exchanged by one rename.
    @Test func aSymbolicLinkThatIsExchangedIsNoticed() async throws {
        let files = try await TLSFixture.make()
        let manager = FileManager.default
        for name in ["home", "away"] {
            try manager.createDirectory(atPath: files.path("..\(name)"), withIntermediateDirectories: false)
            for kind in ["crt", "key"] {
                try manager.copyItem(
                    atPath: files.path("server-\(name).\(kind)"), toPath: files.path("..\(name)/tls.\(kind)"))
            }
        }
        try manager.createSymbolicLink(atPath: files.path("..data"), withDestinationPath: "..home")
        for kind in ["crt", "key"] {
            try manager.createSymbolicLink(
                atPath: files.path("tls.\(kind)"), withDestinationPath: "..data/tls.\(kind)")
        }
        var configuration = ServerConfiguration()
        configuration.tls = ServerTLS(files.identity("tls"))
        configuration.tls?.reloadInterval = .milliseconds(20)
        try await Loopback.serving(TLSTests.methods, server: configuration) { server in
            try await connect(server, files.client()).close()
            try manager.createSymbolicLink(atPath: files.path("..data_tmp"), withDestinationPath: "..away")
            #expect(unsafe rename(files.path("..data_tmp"), files.path("..data")) == 0)
            while true {
                if let connection = try? await connect(server, files.client(trusting: "away")) {
                    connection.close()
                    break
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func noCallFailsWhileCertificatesAreExchanged() async throws {
        let files = try await TLSFixture.make()
        let both = try ["home", "away"].map { try String(contentsOfFile: files.path("\($0).crt"), encoding: .utf8) }
        var client = ClientConfiguration.patient
        client.tls = ClientTLS(trust: .authorities(.text(both.joined())))
        try await serving(files, every: .milliseconds(10)) { [client] server in
            let old = try await connect(server, client)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask { for _ in 0..<200 { try await echo(old) } }
                    tasks.addTask {
                        for _ in 0..<25 {
                            let new = try await connect(server, client)
                            try await echo(new)
                            new.close()
                        }
                    }
                }
                for round in 0..<20 {
                    try exchange(files, round.isMultiple(of: 2) ? "server-away" : "server-home")
                    try await server.reloadCertificates()
                }
                try await tasks.waitForAll()
            }
            old.close()
        }
    }

    @Test func aClientReadsItsFilesForEachConnection() async throws {
        let files = try await TLSFixture.make()
        let server = files.server(.required(authorities: files.authorities("away")))
        try await Loopback.serving(TLSTests.methods, server: server) { server in
            try exchange(files, "client-home")
            let client = files.client(as: "tls")
            #expect(await failure { _ = try await connect(server, client) } != nil)
            try exchange(files, "client-away")
            try await connect(server, client).close()
            try Data("nothing".utf8).write(to: files.folder.appending(path: "tls.crt"))
            try await connect(server, client).close()
        }
    }

    @Test func whatIsRefusedIsToldOnce() async throws {
        let files = try await TLSFixture.make()
        try exchange(files, "server-home")
        let store = try TLSContextStore(ServerTLS(files.identity("tls")).settings)
        func refresh() -> String { "\(store.refresh())".prefix { $0 != "(" }.description }
        #expect(refresh() == "none")
        try Data("nothing".utf8).write(to: files.folder.appending(path: "tls.crt"))
        #expect([refresh(), refresh(), refresh()] == ["refused", "stillRefused", "stillRefused"])
        try exchange(files, "server-home")
        #expect(refresh() == "none")
        try exchange(files, "server-away")
        #expect([refresh(), refresh()] == ["renewed", "none"])
    }

    /// FIPS 180-4's example of one block.
    @Test func fingerprintsAreThoseOfTheStandard() {
        #expect(
            PeerCertificate.fingerprint(of: Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
