import ArgumentParser
import Mesh

/// Whom a role or a command asks for names.
struct DNSOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The DNS server, several with commas (default: those of /etc/resolv.conf).", valueName: "address:port"))
    var dnsServer: String?

    /// Empty: the system's.
    func servers(_ settings: Settings) throws -> [DNSServer] {
        try settings.parsed(dnsServer, .dnsServer) { $0.isEmpty ? [] : try DNSServer.list(parsing: $0) } ?? []
    }
}
