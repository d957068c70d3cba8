import Foundation
import TestSupport
import Testing

/// Raw frames that mean harm against a real process that serves our RPC: python/injector.py, one test per case. Each
/// case also asserts what python/oracle.py does of the process, whatever the attack is.
@Suite(.timeLimit(.minutes(10))) struct HostileServerTests {
    @Test(arguments: Injector.cases)
    func theServerStands(_ name: String) async throws {
        let result = try await Injector.run([name, Injector.target.path], within: .seconds(180))
        #expect(result.code == 0, "\(result.output)\(result.errors.suffix(3000))")
    }
}

/// The scripts in python/, run by the Python of `.venv` (dev/python-env.sh).
enum Injector {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "python")
    static let root = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let interpreter = root.appending(path: ".venv/bin/python")
    /// The executables are in the folder of the test bundle.
    static let target = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "hostile-target")

    /// The names stand in the scripts, between the quotes of `case("…` or made in a loop; Python knows them all.
    static let cases: [String] = {
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

    static func run(_ arguments: [String], within limit: Duration) async throws -> ChildProcess.Result {
        try await ChildProcess(
            interpreter, [folder.appending(path: "injector.py").path] + arguments,
            environment: ["PYTHONDONTWRITEBYTECODE": "1"]
        ).finish(within: limit)
    }
}
