import ArgumentParser
import Foundation
import NIOCore

/// The command: everything that Framemesh does is one of its subcommands.
@main struct Framemesh: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "framemesh",
        abstract: "Computer vision on many processes: detect, classify and track through a mesh.",
        discussion: """
            Try it:
              framemesh demo
            or start a mesh, and send pictures from another terminal:
              framemesh up
              framemesh send --pipeline cascade pictures/*.jpg

            Exit codes: 0 all went well, 1 some frame or file failed, 2 wrong usage or configuration,
            3 no coordinator or node could be reached, 129, 130 or 143 ended by SIGHUP, SIGINT or SIGTERM; \
            `up` and the roles end with 0 then. 141 nobody reads standard output any more.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(name: "Local mesh", subcommands: [DemoCommand.self, Up.self]),
            CommandGroup(
                name: "Client",
                subcommands: [
                    SendCommand.self, VideoCommand.self, PipelinesCommand.self, NodesCommand.self, TopCommand.self,
                    HealthCommand.self, DoctorCommand.self, BenchCommand.self,
                ]),
            CommandGroup(name: "Models", subcommands: [ModelsCommand.self, EvaluateCommand.self]),
            CommandGroup(name: "Settings", subcommands: [LimitsCommand.self]),
            CommandGroup(
                name: "Roles",
                subcommands: [
                    DetectorCommand.self, ClassifierCommand.self, NodeCommand.self, CoordinatorCommand.self,
                    GatewayCommand.self,
                ]),
        ])

    /// The others are for who computes. On two processors all connections are on one loop, so that what comes on one and goes
    /// on by another need not change threads.
    private static let processorsOfLoop = 2

    /// The one place where a command's failure becomes a line on standard error and an exit code.
    static func main() async {
        // A closed pipe is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        NIOSingletons.groupLoopCountSuggestion = max(1, ProcessorCount.usable / processorsOfLoop)
        do {
            let arguments = NegativeNumbers.joined(CommandLine.arguments.dropFirst())
            if let objection = CommandWords.objection(to: arguments, of: Framemesh.self) {
                throw ValidationError(objection)
            }
            var command = try parseAsRoot(arguments)
            if command is BenchCompareCommand, let stranger = BenchCompareCommand.stranger(in: Array(arguments)) {
                throw ValidationError("bench compare has no option \(stranger)")
            }
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        switch exitCode(for: error) {
        // Help and version.
        case .success: exit(withError: error)
        case .validationFailure:
            say("\(message(for: error)) (see --help)")
            Foundation.exit(ExitStatus.usage.rawValue)
        default:
            if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
            let fatal = Fatal(error)
            for text in [fatal.message].compactMap(\.self) + fatal.more { say(text) }
            Foundation.exit(fatal.status.rawValue)
        }
    }

    /// Why the command failed: one line on standard error.
    static func say(_ text: String) {
        log("framemesh: " + text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }

    /// A line on standard error. That nobody reads it is no reason to fail.
    static func log(_ line: String) {
        try? FileHandle.standardError.write(contentsOf: Data("\(line)\n".utf8))
    }
}
