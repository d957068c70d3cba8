import ArgumentParser
import Foundation
import Mesh
import Results

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at a mesh as a stranger would, and say in plain words what is wrong.",
        discussion: """
            ADDRESS is HOST:PORT or unix:PATH of a coordinator, detector or classifier, or http://HOST:PORT or \
            https://HOST:PORT of a gateway. Without one it is the coordinator that other commands call: \
            $\(CoordinatorOption.variable), that of the configuration, or \(CoordinatorOption.fallback). Looks at the name, the connection, TLS, the protocol, health, versions, the \
            clock, the time of a round trip, the nodes, and sends a small picture of its own through each pipeline.

            Examples:
              framemesh doctor
              framemesh doctor coordinator.example:8500
              framemesh doctor http://127.0.0.1:8080
              framemesh doctor --tls-ca ca.crt --token-file token mesh.example:8500
              framemesh doctor --json 127.0.0.1:8501 | jq -r '.findings[].text'

            Exit code 0 if all is well, 1 if something is wrong, 2 for wrong usage.
            """)

    @Argument(help: ArgumentHelp("Whom to look at (default: the coordinator).", valueName: "address"))
    var address: String?

    @Option(help: ArgumentHelp("For each of the things that are tried.", valueName: "s"))
    var timeout = 5.0

    @Flag(help: "One JSON object, at the end.") var json = false

    @OptionGroup(title: "TLS and the token") var securityOptions: ClientSecurityOptions
    @OptionGroup var dns: DNSOption

    @Option(help: ArgumentHelp("YAML file with settings (or $FRAMEMESH_CONFIG).", valueName: "file"))
    var config: String?

    func validate() throws { try Settings.check(timeout: timeout) }

    func run() async throws {
        let settings = try await Settings.load(config)
        let security = try securityOptions.security(settings)
        _ = try settings.naming(oneOf: "client") { (try security.clientTLS(), try security.interceptors()) }
        let address = try address ?? Self.coordinator(settings)
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

    /// The one that other commands call where they are told of none.
    /// - Throws: `Fatal` if that is no target, or several.
    static func coordinator(
        _ settings: Settings, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> String {
        switch try CoordinatorOption.target(nil, settings, environment: environment).kind {
        case .dns(let place): return place.description
        case .unix(let path): return "unix:\(path)"
        case .fixed(let places) where places.count == 1: return places[0].description
        case .fixed(let places):
            let all = places.map(\.description).joined(separator: ", ")
            throw Fatal("there are several coordinators: name the one to look at, of \(all)", status: .usage)
        case .srv(let name):
            throw Fatal(
                "coordinators are found as srv:///\(name): name the one to look at",
                status: .usage)
        }
    }
}
