import Bench
import Foundation
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct DisturberTests {
    private static func texts(_ words: [String]) async throws -> [String] {
        try await Disturber(words.map { try Disturbance(parsing: $0) }, nil).run().map(\.text)
    }

    @Test func commandsAreRunAndTheirFailureIsTold() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "disturber-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let good = try await Self.texts(["run:echo done > \(file)@0"])
        #expect(good.count == 1 && good[0].hasPrefix("run echo done > \(file): done after "), "\(good)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "done\n")
        let bad = try await Self.texts(["run:echo one >&2; echo no such deployment >&2; exit 7@0"])
        #expect(bad.count == 1 && bad[0].hasSuffix(" ended with code 7: no such deployment"), "\(bad)")
        #expect(try await Self.texts(["run:kill -9 $$@0"])[0].contains("was killed by signal 9"))
    }

    /// The end of a measurement does not wait for it, nor for what it started.
    @Test func aCommandThatStillRunsAtTheEndIsTold() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "disturber-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let disturber = Disturber([try Disturbance(parsing: "run:sleep 3000 & echo $! > \(file); wait@0")], nil)
        async let records = disturber.run()
        var words = ""
        while !words.hasSuffix("\n") {
            words = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            try await Task.sleep(for: .milliseconds(2))
        }
        let sleeping = try #require(Int32(words.dropLast()))
        disturber.end()
        let told = await records
        #expect(told.count == 1 && told[0].text.hasSuffix("it still ran at the end, and was told to end"), "\(told)")
        while ProcessTable.name(of: sleeping) != nil { try await Task.sleep(for: .milliseconds(2)) }
    }
}
