package import AsyncHTTPClient
package import Foundation
import NIOSSL

/// Whom an HTTPS gateway is taken for by those that call it, and what it is shown; files are PEM.
package struct GatewayTrust: Sendable {
    /// nil: those that the system trusts.
    package var authorities: String?
    package var certificate: String?
    package var key: String?
    /// That the gateway's certificate must bear; nil: the host of the URL.
    package var serverName: String?

    package init(
        authorities: String? = nil, certificate: String? = nil, key: String? = nil, serverName: String? = nil
    ) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
        self.serverName = serverName
    }

    /// Sets a client up for calls to `url`.
    /// - Returns: what it shall be asked for: the host is the name that is expected, and leads where `url` does.
    /// - Throws: `NIOSSLError` of files that cannot be used.
    package func place(_ url: URL, _ configuration: inout HTTPClient.Configuration) throws -> URL {
        if url.scheme == "https" { configuration.tlsConfiguration = try tls() }
        guard let serverName, let host = url.host,
            var parts = URLComponents(url: url, resolvingAgainstBaseURL: false)
        else { return url }
        parts.host = serverName
        configuration.dnsOverride = [serverName: host]
        return parts.url ?? url
    }

    private func tls() throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authorities { tls.trustRoots = .file(authorities) }
        if let certificate, let key {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        }
        return tls
    }
}
