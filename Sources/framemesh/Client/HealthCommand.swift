import ArgumentParser

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask roles whether they are well, for probes and scripts.",
        discussion: """
            ADDRESS is HOST:PORT or unix:PATH of a detector, classifier or coordinator, or http://HOST:PORT or \
            https://HOST:PORT of a gateway. A gateway or coordinator is well when it answers, and with --ready when it has a \
            node that is ready. Without an address, the usual ports of the roles on this machine are asked; those where nothing listens do not \
            count, unless that is so of all.

            Examples:
              framemesh health
              framemesh health 127.0.0.1:8501 http://127.0.0.1:8080
              framemesh health --ready --tls-ca ca.crt https://gateway.example:8443
              framemesh health --service framemesh.v1.Vision coordinator.example:8500
              framemesh health --tls-ca ca.crt coordinator.example:8500

            Exit code 0 if all that were asked are well, 1 if one is not, 3 if one could not be reached.
            """)

    @Argument(help: ArgumentHelp("Whom to ask.", valueName: "address"))
    var addresses: [String] = []

    @Option(help: ArgumentHelp("A service of gRPC; empty: the whole server.", valueName: "name"))
    var service = ""

    @Flag(help: "Of gateways and coordinators: whether a node is ready, too.")
    var ready = false

    @Option(help: ArgumentHelp("For each address.", valueName: "s"))
    var timeout = 3.0

    @OptionGroup(title: "TLS and the token") var securityOptions: ClientSecurityOptions

    @Option(help: ArgumentHelp("YAML file with settings (or $FRAMEMESH_CONFIG).", valueName: "file"))
    var config: String?

    func validate() throws { try Settings.check(timeout: timeout) }

    func run() async throws {
        let settings = try await Settings.load(config)
        let security = try securityOptions.security(settings)
        _ = try settings.naming(oneOf: "client") { (try security.clientTLS(), try security.interceptors()) }
        let question = HealthAddress.Question(
            service: service, isReady: ready, security: security, timeout: .seconds(timeout))
        let asked = try (addresses.isEmpty ? Self.usual : addresses).map(HealthAddress.init)
        let console = Console()
        var findings: [HealthFinding] = []
        for address in asked {
            let finding = try await address.ask(question)
            findings.append(finding)
            // Of the usual ports, those where nothing listens are no news.
            if !addresses.isEmpty || finding.isThere { try console.print("\(address.text) \(finding.text)") }
        }
        if addresses.isEmpty {
            findings = findings.filter(\.isThere)
            guard !findings.isEmpty else {
                throw Fatal("no role listens on \(Self.usual.joined(separator: ", "))", status: .unreachable)
            }
        }
        if findings.contains(where: { !$0.isThere }) { throw Fatal(nil, status: .unreachable) }
        if findings.contains(where: { !$0.isWell }) { throw Fatal(nil) }
    }

    /// Where roles listen that were told nothing else, whichever address of this machine they took.
    static let usual = [
        "127.0.0.1:8500", "127.0.0.1:8501", "127.0.0.1:8502", "127.0.0.1:8503", "http://127.0.0.1:8080",
    ]
}
