import Foundation
import TestSupport
import Testing

/// Raw frames that mean harm against a real process that serves our RPC (python/injector.py), the H… cases of HTTP/2 and
/// the G… cases of gRPC. Each case also asserts what python/oracle.py does of the process, whatever the attack is; there
/// it says what cannot be asked of a busy machine, and why. One after the other, so that what a case sees of the process
/// is of its own making.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HostileHTTP2Tests {
    @Test(arguments: Injector.cases("H"))
    func theServerStands(_ group: String) async throws { try await Injector.attack(group) }
}

@Suite(.serialized, .timeLimit(.minutes(10))) struct HostileGRPCTests {
    @Test(arguments: Injector.cases("G"))
    func theServerStands(_ group: String) async throws { try await Injector.attack(group) }
}

/// The scripts in python/, run by the Python of `.venv` (dev/python-env.sh).
enum Injector {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "python")
    static let root = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let interpreter = root.appending(path: ".venv/bin/python")
    /// The executables are in the folder of the test bundle.
    static let target = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "hostile-target")

    /// The groups of cases whose names begin so; Python knows them.
    static func cases(_ letter: String) -> [String] { all.filter { $0.hasPrefix(letter) || $0.contains(" ") } }

    private static let all: [String] = {
        let process = Process()
        process.executableURL = interpreter
        process.arguments = [folder.appending(path: "injector.py").path, "--list"]
        let pipe = Pipe()
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { return ["dev/python-env.sh was not run"] }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }()

    /// Runs a group's cases; each that fails is an issue with its own line.
    static func attack(_ group: String) async throws {
        let result = try await ChildProcess(
            interpreter, [folder.appending(path: "injector.py").path, group, target.path],
            environment: ["PYTHONDONTWRITEBYTECODE": "1"]
        ).finish(within: .seconds(300))
        for line in result.lines where !line.hasPrefix("ok ") { Issue.record("\(line)") }
        #expect(result.code == 0, "\(result.errors.suffix(3000))")
    }
}
