public import ArgumentParser
public import Logging

/// Options of every command that reads the configuration.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("YAML file with settings (or $FRAMEMESH_CONFIG).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("What is logged, this level and above (default: info).", valueName: "level"))
    var logLevel: Logger.Level?

    @OptionGroup var dns: DNSOption

    func settings() async throws -> Settings { try await Settings.load(config) }

    /// Logs to standard error; standard output is for results.
    func logger(_ label: String, _ settings: Settings, default level: Logger.Level = .info) throws -> Logger {
        var logger = Logger(label: "framemesh.\(label)") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = try logLevel ?? settings.value(.logLevel) ?? level
        return logger
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
