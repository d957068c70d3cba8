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

    /// Neither it nor what it has started lives on, whether they do as they are told or not, and also when all is given up.
    @Test(arguments: [
        ("sleep 3000 & echo $! > FILE; wait", true, "it still ran at the end, and was told to end"),
        ("trap '' TERM; sleep 3000 & echo $! > FILE; wait", true, "2 s after it was told to end, and was killed"),
        ("trap '' TERM; sleep 3000 & echo $! > FILE; wait", false, "2 s after it was told to end, and was killed"),
    ])
    func aCommandThatStillRunsAtTheEndIsEnded(_ command: String, _ endsInOrder: Bool, _ what: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "disturber-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let text = command.replacing("FILE", with: file)
        let disturber = Disturber([try Disturbance(parsing: "run:\(text)@0")], nil)
        let running = Task { await disturber.run() }
        var words = ""
        while !words.hasSuffix("\n") {
            words = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            try await Task.sleep(for: .milliseconds(2))
        }
        let sleeping = try #require(Int32(words.dropLast()))
        if endsInOrder { disturber.end() } else { running.cancel() }
        let told = await running.value
        #expect(told.count == 1 && told[0].text.hasSuffix(what), "\(told)")
        while ProcessTable.name(of: sleeping) != nil { try await Task.sleep(for: .milliseconds(2)) }
    }
}
