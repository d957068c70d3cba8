import ArgumentParser
import RPC

/// How the server of a role proves who it is.
struct ServerTLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve TLS only, with this certificate (PEM); read again when it changes.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key (PEM).", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "Mutual TLS: clients need a certificate of one of these authorities (PEM).", valueName: "file"))
    var tlsClientCa: String?

    /// Set by `up`, whose mesh is for this machine only.
    @Flag(name: .customLong("plain-text"), help: .hidden)
    var isPlainText = false

    /// - Parameter role: the section of the configuration.
    /// - Throws: `Fatal` that names the file, or the flag that is missing.
    func tls(_ role: String, _ settings: Settings) throws(Fatal) -> ServerTLS? {
        guard !isPlainText else { return nil }
        let certificate = tlsCertificate ?? settings.string(at: [role, "tls-certificate"])
        let key = tlsKey ?? settings.string(at: [role, "tls-key"])
        let authorities = tlsClientCa ?? settings.string(at: [role, "tls-client-ca"])
        guard let identity = try TLSIdentity(certificate: certificate, key: key) else {
            if authorities != nil {
                throw Fatal("--tls-client-ca needs --tls-certificate and --tls-key", status: .usage)
            }
            return nil
        }
        var tls = ServerTLS(identity)
        if let authorities { tls.clients = .required(authorities: .file(authorities)) }
        do {
            try tls.check()
        } catch {
            throw Fatal(error.message, status: .usage)
        }
        return tls
    }
}

extension TLSIdentity {
    /// nil: neither is given. - Throws: `Fatal` if only one is.
    init?(certificate: String?, key: String?, prefix: String = "--") throws(Fatal) {
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?): self = .files(certificates: certificate, privateKey: key)
        case (nil, _): throw Fatal("\(prefix)tls-key needs \(prefix)tls-certificate", status: .usage)
        case (_, nil): throw Fatal("\(prefix)tls-certificate needs \(prefix)tls-key", status: .usage)
        }
    }
}
