import ArgumentParser
import RPC

/// The names of commands on a command line, looked at before they are parsed: the parser takes a misspelt one for a
/// stray argument.
enum CommandWords {
    /// - Returns: which word is no command, and what was probably meant; nil: all of them are.
    static func objection(to arguments: some Collection<String>, of command: any ParsableCommand.Type) -> String? {
        guard let word = arguments.first, !word.hasPrefix("-") else { return nil }
        let commands = command.configuration.subcommands
        guard !commands.isEmpty else { return nil }
        // `framemesh help COMMAND`.
        if word == "help" { return objection(to: arguments.dropFirst(), of: command) }
        if let found = commands.first(where: { names(of: $0).contains(word) }) {
            return objection(to: arguments.dropFirst(), of: found)
        }
        let known = commands.flatMap(names)
        if let near = Spelling.nearest(to: word, of: known) {
            return "unknown command '\(word)', did you mean '\(near)'?"
        }
        return "unknown command '\(word)'; there are \(known.joined(separator: ", "))"
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] {
        [command.configuration.commandName ?? command._commandName] + command.configuration.aliases
    }
}
