import ArgumentParser

/// TLS and the token of a gateway that calls coordinators.
struct CoordinatorSecurityOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Call coordinators over TLS; any other --coordinator-tls-… turns it on as well.")
    var coordinatorTls: Bool?

    @Option(
        help: ArgumentHelp(
            "Authorities that may certify coordinators, PEM (default: the system's).", valueName: "file"))
    var coordinatorTlsCa: String?

    @Option(help: ArgumentHelp("Our own certificate, where coordinators ask for one (PEM).", valueName: "file"))
    var coordinatorTlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key (PEM).", valueName: "file"))
    var coordinatorTlsKey: String?

    @Option(
        help: ArgumentHelp(
            "The name that coordinators' certificates must bear (default: the host of the target).", valueName: "name"))
    var coordinatorTlsServerName: String?

    @Option(
        help: ArgumentHelp(
            "File with the bearer token to call coordinators with; only over TLS, or on this host.",
            valueName: "file"))
    var coordinatorTokenFile: String?

    func security(_ settings: Settings) throws -> ClientSecurity {
        ClientSecurity(
            tls: try coordinatorTls ?? settings.value(.gatewayCoordinatorTLS),
            authorities: coordinatorTlsCa ?? settings.string(.gatewayCoordinatorTLSAuthorities),
            certificate: coordinatorTlsCertificate ?? settings.string(.gatewayCoordinatorTLSCertificate),
            key: coordinatorTlsKey ?? settings.string(.gatewayCoordinatorTLSKey),
            serverName: coordinatorTlsServerName ?? settings.string(.gatewayCoordinatorTLSServerName),
            tokenFile: coordinatorTokenFile ?? settings.string(.gatewayCoordinatorTokenFile),
            prefix: "--coordinator-")
    }
}
