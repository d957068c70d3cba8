import ArgumentParser
import RPC

/// What a role serves beside its own port, for those who watch over it. In plain text, and for whoever reaches it.
struct PortOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve health alone here as well, in plain text, for probes that cannot do TLS (default: nowhere).",
            valueName: "host:port|unix:path"))
    var healthListen: String?

    @OptionGroup var metrics: MetricsOption

    /// nil: nowhere.
    func health(_ key: Settings.Key, _ settings: Settings) throws -> ServerAddress? {
        try settings.parsed(healthListen, key) { try ListenAddress(parsing: $0) }?.address
    }
}
