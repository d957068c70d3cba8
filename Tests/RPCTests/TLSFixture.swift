import Foundation
import TestSupport

@testable import RPC

/// Two authorities, `home` and `away`; of each a server certificate for localhost and 127.0.0.1; a client of each.
enum TLSFixture {
    static func make() async throws -> CertificateFolder { try CertificateFolder(copying: try await made.value) }

    /// Once for all tests.
    private static let made = Task {
        let files = try CertificateFolder()
        for authority in ["home", "away"] {
            try await files.makeAuthority(authority)
            try await files.makeCertificate(
                "server-\(authority)", by: authority, alternatives: "DNS:localhost,IP:127.0.0.1")
            try await files.makeCertificate(
                "client-\(authority)", by: authority, commonName: "camera 7",
                alternatives:
                    "DNS:camera-7.local,URI:spiffe://mesh/camera/7,email:camera@example.com,IP:10.0.0.7,IP:fd00::1"
            )
        }
        return files
    }
}

extension CertificateFolder {
    func identity(_ name: String) -> TLSIdentity {
        .files(certificates: path("\(name).crt"), privateKey: path("\(name).key"))
    }

    func authorities(_ name: String) -> PEMSource { .file(path("\(name).crt")) }

    /// Shows `server-home`.
    func server(_ clients: ServerTLS.Clients = .anyone) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.tls = ServerTLS(identity("server-home"))
        configuration.tls?.clients = clients
        configuration.attachmentIdentity = "node-1"
        return configuration
    }

    /// Trusts one authority.
    func client(trusting authority: String = "home", as identity: String? = nil, serverName: String? = nil)
        -> ClientConfiguration
    {
        var configuration = ClientConfiguration.patient
        configuration.tls = ClientTLS(
            trust: .authorities(authorities(authority)), identity: identity.map { self.identity($0) },
            serverName: serverName)
        return configuration
    }
}
