import Bench
import Foundation
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct DisturberTests {
    private static func record(_ words: String) async throws -> DisturbanceRecord {
        let records = await Disturber([try Disturbance(parsing: words)], nil).run()
        #expect(records.count == 1)
        return try #require(records.first)
    }

    @Test func commandsAreRunAndTheirFailureIsTold() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "disturber-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let good = try await Self.record("run:echo done > \(file)@0")
        #expect(good.text.hasPrefix("run echo done > \(file): done after "), "\(good)")
        #expect(good.hasFailed == false && good.exitCode == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "done\n")
        let bad = try await Self.record("run:echo one >&2; echo no such deployment >&2; exit 7@0")
        #expect(bad.text.hasSuffix(" ended with code 7: no such deployment"), "\(bad)")
        #expect(bad.hasFailed == true && bad.exitCode == 7)
        let killed = try await Self.record("run:kill -9 $$@0")
        #expect(killed.text.contains("was killed by signal 9") && killed.hasFailed == true && killed.exitCode == 137)
    }

    @Test(arguments: ["kill", "pause", "slow"])
    func whatFindsNobodyHasFailed(_ blow: String) async throws {
        let record = try await Self.record("\(blow):\(Int32.max)@0")
        #expect(record.text == "\(blow) \(Int32.max): nobody was there")
        #expect(record.hasFailed == true && record.exitCode == nil)
    }

    /// The one that takes the shell's place asks nobody how it ended.
    @Test(arguments: ["kill", "pause", "slow"])
    func whoHasEndedIsNobody(_ blow: String) async throws {
        let (numbers, number) = AsyncStream<Int32>.makeStream()
        let parent = try framemesh.ChildProcess(
            executable: ShellCommand.shell, arguments: ["-c", "sleep 0.2 & echo $!; exec sleep 3000"]
        ) { event in
            if case .output(let line) = event, let pid = Int32(line) { number.yield(pid) }
        }
        defer { parent.signalGroup(SIGKILL) }
        let first = await numbers.first { _ in true }
        let ended = try #require(first)
        while ProcessTable.isAlive(ended) { try await Task.sleep(for: .milliseconds(2)) }
        let record = try await Self.record("\(blow):\(ended)@0")
        #expect(record.text == "\(blow) \(ended): nobody was there" && record.hasFailed == true)
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
        #expect(told.first?.hasFailed == false && told.first?.exitCode == nil)
        while ProcessTable.isAlive(sleeping) { try await Task.sleep(for: .milliseconds(2)) }
    }
}
