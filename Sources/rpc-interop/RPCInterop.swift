import ArgumentParser
import Foundation
import Logging
import RPC

/// gRPC's interoperability tests, with the flags that all its languages have.
@main
struct RPCInterop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-interop",
        abstract: "Serves grpc.testing.TestService, or tests a server of it.",
        discussion: "Test cases and flags are those of the gRPC project (doc/interop-test-descriptions.md).",
        subcommands: [ServerCommand.self, ClientCommand.self])

    static func main() async {
        do {
            let arguments = BooleanFlags.withValues(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    /// Wrong usage.
    private static let usage: Int32 = 2

    /// One line on standard error, and a code for scripts.
    private static func end(with error: any Error) -> Never {
        switch exitCode(for: error) {
        // Help.
        case .success: exit(withError: error)
        case .validationFailure:
            say("\(message(for: error)) (see --help)")
            Foundation.exit(usage)
        default:
            if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
            say((error as? RPCError)?.message ?? "\(error)")
            Foundation.exit(ExitCode.failure.rawValue)
        }
    }

    private static func say(_ text: String) {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        try? FileHandle.standardError.write(contentsOf: Data("rpc-interop: \(line)\n".utf8))
    }

    static var logger: Logger {
        var logger = Logger(label: "rpc-interop", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        return logger
    }
}
