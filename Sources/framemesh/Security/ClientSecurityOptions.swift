import ArgumentParser
import Foundation

/// TLS and the token of a command that calls a coordinator.
struct ClientSecurityOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Call over TLS; any other --tls-… turns it on as well.")
    var tls: Bool?

    @Option(
        help: ArgumentHelp(
            "Authorities that may certify the coordinator, PEM (default: the system's).", valueName: "file"))
    var tlsCa: String?

    @Option(help: ArgumentHelp("Our own certificate, where the coordinator asks for one (PEM).", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key (PEM).", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "The name that the coordinator's certificate must bear (default: its host).", valueName: "name"))
    var tlsServerName: String?

    @Option(
        help: ArgumentHelp(
            "File with the bearer token to call with; only over TLS, or on this host.", valueName: "file"))
    var tokenFile: String?

    func security(_ settings: Settings) throws -> ClientSecurity {
        ClientSecurity(
            tls: try tls ?? settings.value(.clientTLS), authorities: tlsCa ?? settings.string(.clientTLSAuthorities),
            certificate: tlsCertificate ?? settings.string(.clientTLSCertificate),
            key: tlsKey ?? settings.string(.clientTLSKey),
            serverName: tlsServerName ?? settings.string(.clientTLSServerName),
            tokenFile: tokenFile ?? settings.string(.clientTokenFile))
    }

    /// Options of the command line that have TLS.
    private var withTLS: [String] {
        let options: [(String, Bool)] = [
            ("--tls-ca", tlsCa != nil), ("--tls-certificate", tlsCertificate != nil), ("--tls-key", tlsKey != nil),
            ("--tls-server-name", tlsServerName != nil), ("--tls", tls == true),
        ]
        return options.filter(\.1).map(\.0)
    }

    /// Options of the command line.
    var named: [String] {
        withTLS + (tls == false ? ["--no-tls"] : []) + (tokenFile == nil ? [] : ["--token-file"])
    }

    /// A URL says by itself whether it is called over TLS.
    /// - Throws: `Fatal` that names an option of the command line which says otherwise.
    func check(fitting url: URL) throws(Fatal) {
        let isSecure = url.scheme == "https"
        if !isSecure, let option = withTLS.first {
            throw Fatal("\(option) is for https://, and \(url) is asked without TLS", status: .usage)
        }
        if isSecure, tls == false {
            throw Fatal("--no-tls is for http://, and \(url) is asked over TLS", status: .usage)
        }
    }
}

/// The same of a coordinator that calls its nodes.
struct NodeSecurityOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Call nodes over TLS; any other --node-tls-… turns it on as well.")
    var nodeTls: Bool?

    @Option(help: ArgumentHelp("Authorities that may certify nodes, PEM (default: the system's).", valueName: "file"))
    var nodeTlsCa: String?

    @Option(help: ArgumentHelp("Our own certificate, where nodes ask for one (PEM).", valueName: "file"))
    var nodeTlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key (PEM).", valueName: "file"))
    var nodeTlsKey: String?

    @Option(
        help: ArgumentHelp(
            "The name that nodes' certificates must bear (default: the host of the target).", valueName: "name"))
    var nodeTlsServerName: String?

    @Option(
        help: ArgumentHelp(
            "File with the bearer token to call nodes with; only over TLS, or on this host.", valueName: "file"))
    var nodeTokenFile: String?

    func security(_ settings: Settings) throws -> ClientSecurity {
        ClientSecurity(
            tls: try nodeTls ?? settings.value(.coordinatorNodeTLS),
            authorities: nodeTlsCa ?? settings.string(.coordinatorNodeTLSAuthorities),
            certificate: nodeTlsCertificate ?? settings.string(.coordinatorNodeTLSCertificate),
            key: nodeTlsKey ?? settings.string(.coordinatorNodeTLSKey),
            serverName: nodeTlsServerName ?? settings.string(.coordinatorNodeTLSServerName),
            tokenFile: nodeTokenFile ?? settings.string(.coordinatorNodeTokenFile), prefix: "--node-")
    }
}
