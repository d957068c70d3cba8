import NIOCore
import RPC
import TestSupport
import Testing

@testable import Mesh

/// The name of the target is what a node must prove, whatever its address.
@Suite(.timeLimit(.minutes(5))) struct NameTests {
    private func certificates(for name: String) async throws -> CertificateFolder {
        let files = try CertificateFolder()
        try await files.makeAuthority("home")
        try await files.makeCertificate("node", by: "home", alternatives: "DNS:\(name)")
        return files
    }

    private func server(_ files: CertificateFolder) -> ServerTLS {
        ServerTLS(.files(certificates: files.path("node.crt"), privateKey: files.path("node.key")))
    }

    private func client(_ files: CertificateFolder) -> ClientTLS {
        ClientTLS(trust: .authorities(.file(files.path("home.crt"))))
    }

    @Test func aNodeBearsTheNameOfItsTarget() async throws {
        let files = try await certificates(for: "nodes.test")
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start(tls: server(files)) { _ in "named" }
            try await BalancedChannel.with([node], configure: { $0.client.tls = client(files) }) {
                channel async throws in
                #expect(try await channel.ask().answer == "named")
            }
        }
    }

    @Test func aNodeOfAnotherNameGetsNoCalls() async throws {
        let files = try await certificates(for: "others.test")
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start(tls: server(files))
            let script = Script()
            script.set([node.address])
            try await BalancedChannel.with(script, configure: { $0.client.tls = client(files) }) {
                channel async throws in
                try await channel.until { $0.contains { $0.reason?.contains("is for another name") == true } }
                #expect(node.calls == 0)
            }
        }
    }

    @Test func eachAddressHasTheNameThatItCameFrom() async throws {
        var resolver = Resolver(
            target: try Target(parsing: "static:///127.0.0.1:1,[::1]:2"), service: Script(), keep: .zero)
        #expect(await resolver.resolve().addresses.map { $0.name?.description } == ["127.0.0.1:1", "[::1]:2"])
        var socket = Resolver(target: try Target(parsing: "unix:/run/x"), service: Script(), keep: .zero)
        #expect(await socket.resolve().addresses.map(\.name) == [nil])
    }
}
