import ArgumentParser
import Results

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at a mesh as a stranger would, and say in plain words what is wrong.",
        discussion: """
            ADDRESS is HOST:PORT or unix:PATH of a coordinator, detector or classifier, or http://HOST:PORT or \
            https://HOST:PORT of a gateway. Looks at the name, the connection, TLS, the protocol, health, versions, the \
            clock, the time of a round trip, the nodes, and sends a small picture of its own through each pipeline.

            Examples:
              framemesh doctor 127.0.0.1:8500
              framemesh doctor http://127.0.0.1:8080
              framemesh doctor --tls-ca ca.crt --token-file token mesh.example:8500
              framemesh doctor --json 127.0.0.1:8501 | jq -r '.findings[].text'

            Exit code 0 if all is well, 1 if something is wrong, 2 for wrong usage.
            """)

    @Argument(help: ArgumentHelp("Whom to look at.", valueName: "address"))
    var address: String

    @Option(help: ArgumentHelp("For each of the things that are tried.", valueName: "s"))
    var timeout = 5.0

    @Flag(help: "One JSON object, at the end.") var json = false

    @OptionGroup(title: "TLS and the token") var securityOptions: ClientSecurityOptions
    @OptionGroup var dns: DNSOption

    @Option(help: ArgumentHelp("YAML file with settings (or $FRAMEMESH_CONFIG).", valueName: "file"))
    var config: String?

    func validate() throws {
        guard timeout > 0, timeout <= Settings.maxSeconds else {
            throw ValidationError("--timeout is \(timeout), it must be above 0 and at most \(Int(Settings.maxSeconds))")
        }
    }

    func run() async throws {
        let settings = try await Settings.load(config)
        let security = try securityOptions.security(settings)
        _ = try settings.naming(oneOf: "client") { (try security.clientTLS(), try security.interceptors()) }
        let place = try DoctorPlace(address)
        if case .http(let url, _, _) = place { try securityOptions.check(fitting: url) }
        let doctor = Doctor(
            place: place, security: security, dns: try dns.servers(settings),
            timeout: .seconds(timeout))
        let console = Console()
        var findings = Findings { [json] in if !json { try console.print($0.line) } }
        try await doctor.look(&findings)
        if json {
            try console.print(
                JSONText.object { json in
                    json.field("address", address)
                    json.field("well", findings.isWell)
                    json.array("findings", findings.all) { json, finding in json.object { finding.fields(&$0) } }
                })
        }
        guard findings.isWell else { throw Fatal(nil) }
    }
}
