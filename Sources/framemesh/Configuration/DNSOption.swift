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
        guard let text = dnsServer ?? settings.string(.dnsServer), !text.isEmpty else { return [] }
        return try DNSServer.list(parsing: text)
    }
}
