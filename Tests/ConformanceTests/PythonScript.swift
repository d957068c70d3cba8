import Foundation
import TestSupport

/// The scripts beside these tests, run by the Python of `.venv` (dev/python-env.sh).
enum PythonScript {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "python")
    static let root = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let interpreter = root.appending(path: ".venv/bin/python")

    static func start(_ name: String, _ arguments: [String]) throws -> ChildProcess {
        guard FileManager.default.isExecutableFile(atPath: interpreter.path) else {
            throw Failure("\(interpreter.path) is missing: run dev/python-env.sh")
        }
        return try ChildProcess(
            interpreter, [folder.appending(path: name).path] + arguments,
            environment: ["PYTHONDONTWRITEBYTECODE": "1", "GRPC_VERBOSITY": "NONE"], input: .open)
    }
}
