import ArgumentParser
import Bench
import Foundation
import RPC

struct BenchCompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Say what changed between two results, and how sure that is.",
        discussion: """
            Reads what --json wrote. Points with the same load are compared: better, worse or no difference, with 95 % \
            confidence of all that is said (Welch's t, corrected by Holm for the number of rows); changes below \
            --least-change are none. A sample is a window; where both files have several runs, a line each, a sample is a run. \
            Windows of one run are no independent samples: by them alone, only changes above the --stability of the runs count. \
            Several runs in turns can show smaller ones.

            Examples:
              framemesh bench compare before.json after.json
              framemesh bench compare --json-lines before.json after.json
              framemesh bench compare --least-change 5 before.json after.json
              ssh host cat before.json | framemesh bench compare - after.json

            Exit code 1 if something is worse.
            """)

    @Argument(help: ArgumentHelp("The result to compare with; - is standard input.", valueName: "a.json"))
    var base: String
    @Argument(help: ArgumentHelp("The result that is judged; - is standard input.", valueName: "b.json"))
    var new: String
    @Option(
        help: ArgumentHelp("Changes that are less are no difference.", valueName: "percent"))
    var leastChange = Comparison.leastChange * 100
    // `--json` would be taken for the one of `bench`, which has a file.
    @Flag(help: "One JSON object a line, for each number and each note.") var jsonLines = false

    static let standardInput = "-"

    /// The parser hands options of `bench` to `bench`, where nobody looks at them.
    private static let options = ["--least-change", "--json-lines", "--help", "-h", "--version"]

    /// - Parameter arguments: all of a command line that was read as this command.
    /// - Returns: an option that is none of its own.
    static func stranger(in arguments: [String]) -> String? {
        arguments.prefix { $0 != "--" }.lazy
            .filter { $0.hasPrefix("-") && $0 != "-" }
            .map { String($0.prefix { $0 != "=" }) }
            .first { !options.contains($0) }
    }

    func run() async throws {
        guard (0...100).contains(leastChange) else {
            throw Fatal("--least-change \(leastChange) is not between 0 and 100", status: .usage)
        }
        guard base != Self.standardInput || new != Self.standardInput else {
            throw Fatal("only one of the two is standard input (-): name a file for the other", status: .usage)
        }
        let comparison = Comparison(try Self.read(base), try Self.read(new), leastChange: leastChange / 100)
        let console = Console()
        for line in jsonLines ? ComparisonText.json(comparison) : ComparisonText.lines(comparison) {
            try console.print(line)
        }
        if comparison.rows.isEmpty {
            throw Fatal(
                comparison.cutShort.isEmpty
                    ? "the two have no load in common"
                    : "nothing can be compared: no load that the two have in common has a whole window in both",
                status: .usage)
        }
        if comparison.rows.contains(where: { $0.verdict == .worse }) { throw Fatal(nil) }
    }

    /// Blocks. A file, a pipe or standard input.
    /// - Throws: `Fatal` that says why it is no result.
    static func read(_ path: String) throws(Fatal) -> [BenchResult] {
        let name = path == standardInput ? "standard input" : path
        let data = try bytes(of: path, named: name)
        do {
            return try BenchResult.read(data)
        } catch {
            throw Fatal("\(name): \(error.message)", status: .usage)
        }
    }

    /// One byte more than may be, at most.
    private static func bytes(of path: String, named name: String) throws(Fatal) -> Data {
        if path != standardInput {
            try InputFile.check([path])
            guard !PictureSource.isDirectory(path) else {
                throw Fatal("cannot read \(path): it is a directory", status: .usage)
            }
        }
        let most = BenchResult.maxFileBytes + 1
        do {
            let handle =
                try path == standardInput
                ? FileHandle.standardInput : FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            var data = Data()
            while data.count < most, let part = try handle.read(upToCount: most - data.count), !part.isEmpty {
                data.append(part)
            }
            return data
        } catch {
            throw Fatal("cannot read \(name): \(SystemError.text(error))", status: .usage)
        }
    }
}
