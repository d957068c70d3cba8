import RPC

/// How one who calls proves who it is, and whom it trusts.
struct ClientSecurity: Sendable {
    /// nil: as the rest says; what is about TLS turns it on.
    var tls: Bool?
    /// PEM files.
    var authorities, certificate, key: String?
    var serverName: String?
    var tokenFile: String?
    /// What its flags begin with, for errors.
    var prefix = "--"

    /// - Throws: `Fatal` that names the file, or the flag that is missing.
    func clientTLS() throws(Fatal) -> ClientTLS? {
        let identity = try TLSIdentity(certificate: certificate, key: key, prefix: prefix)
        guard tls ?? (identity != nil || authorities != nil || serverName != nil) else { return nil }
        let tls = ClientTLS(
            trust: authorities.map { .authorities(.file($0)) } ?? .system, identity: identity, serverName: serverName)
        do {
            try tls.check()
        } catch {
            throw Fatal(error.message, status: .usage)
        }
        return tls
    }

    /// What stands around each call.
    /// - Throws: `Fatal` that names the file of the token.
    func interceptors() throws(Fatal) -> [any ClientInterceptor] {
        guard let tokenFile else { return [] }
        do {
            return [BearerTokenInterceptor(file: try TokenFile(tokenFile))]
        } catch {
            throw Fatal(error.message, status: .usage)
        }
    }
}
