import ArgumentParser
import Logging

/// gRPC's interoperability tests, with the flags that all its languages have.
@main
struct RPCInterop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-interop",
        abstract: "Serves grpc.testing.TestService, or tests a server of it.",
        discussion: "Test cases and flags are those of the gRPC project (doc/interop-test-descriptions.md).",
        subcommands: [ServerCommand.self, ClientCommand.self])

    static func main() async {
        await main(BooleanFlags.withValues(Array(CommandLine.arguments.dropFirst())))
    }

    static var logger: Logger {
        var logger = Logger(label: "rpc-interop", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        return logger
    }
}
