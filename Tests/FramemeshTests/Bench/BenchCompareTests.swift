import ArgumentParser
import Bench
import Foundation
import Testing

@testable import framemesh

@Suite struct BenchCompareTests {
    @Test(arguments: [
        ("bench compare a b", nil), ("bench compare --json-lines --least-change 5 a -", nil),
        ("bench compare --html d.html a b", "--html"), ("bench --up compare a b", "--up"),
        ("bench compare --least-change=-5 a --stability=2 b", "--stability"), ("bench compare -- --up a", nil),
    ])
    func optionsOfBenchAreNoneOfCompare(_ arguments: String, _ stranger: String?) {
        let words = arguments.split(separator: " ").map(String.init)
        #expect(BenchCompareCommand.stranger(in: words) == stranger)
    }

    @Test func whyAFileIsNoResultIsSaid() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "compare-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func trouble(_ text: String?) throws -> String {
            let path = folder.appending(path: "a.json").path
            try? FileManager.default.removeItem(atPath: path)
            if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
            let error = #expect(throws: Fatal.self) { try BenchCompareCommand.read(path) }
            #expect(error?.status == .usage)
            return (error?.message ?? "").replacing(path, with: "PATH")
        }
        #expect(try trouble(nil) == "cannot read PATH: no such file or directory")
        #expect(try trouble("") == "PATH: there is no result in it")
        #expect(try trouble("\nload,frames/s\n") == "PATH: line 2 is no JSON; a result is one line of it")
        #expect(try trouble(#"{"a":1}"#) == "PATH: line 1 is no result of framemesh bench")
        let error = #expect(throws: Fatal.self) { try BenchCompareCommand.read(folder.path) }
        #expect(error?.message == "cannot read \(folder.path): it is a directory")
        let empty = #expect(throws: Fatal.self) { try BenchCompareCommand.read("/dev/null") }
        #expect(empty?.message == "/dev/null: there is no result in it")
    }

    /// As of `bench compare <(head -1 a.json) b.json`.
    @Test func pipesAreRead() throws {
        let result = BenchResult(
            mode: "mesh", target: nil, pipeline: "detect", inputs: 1, inputBytes: 9,
            environment: EnvironmentRecord(
                cpu: "x", cores: 1, kernel: "Linux", memoryMb: 1, version: "0", startedAt: 0),
            configuration: [:])
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(try result.json().utf8))
        try pipe.fileHandleForWriting.close()
        #expect(try BenchCompareCommand.read("/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)") == [result])
    }

    @Test func standardInputIsOneOfTheTwo() async throws {
        let command = try BenchCompareCommand.parse(["-", "-"])
        let error = await #expect(throws: Fatal.self) { try await command.run() }
        #expect(error?.status == .usage && error?.message?.hasPrefix("only one of the two is standard input") == true)
    }
}
