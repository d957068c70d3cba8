public import ArgumentParser
public import Logging
public import Telemetry

/// Options of every command that reads the configuration.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("YAML file with settings (or $FRAMEMESH_CONFIG).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("What is logged, this level and above (default: info).", valueName: "level"))
    var logLevel: Logger.Level?

    @Option(help: ArgumentHelp("How lines of the log look: text, or json (default: text).", valueName: "format"))
    var logFormat: LogFormat?

    @OptionGroup var dns: DNSOption

    func settings() async throws -> Settings { try await Settings.load(config) }

    func log(_ label: String, _ settings: Settings) throws -> ProcessLog {
        ProcessLog(
            label, try logFormat ?? settings.value(.logFormat) ?? .text,
            try logLevel ?? settings.value(.logLevel) ?? .info)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}
