import ArgumentParser
import Bench
import Testing

@testable import framemesh

@Suite struct BenchReportTests {
    static func tally(_ frames: Int) -> Tally {
        var tally = Tally()
        for _ in 0..<frames { tally.record(FrameOutcome(.ok, latency: .milliseconds(10))) }
        return tally
    }

    static func point(
        _ load: LoadDescription, _ rates: [Int], disturbedAt: Double? = nil, isStable: Bool = true
    ) -> BenchPoint {
        BenchPoint(
            load, windows: rates.map { (tally($0), 1) }, isStable: isStable, trials: rates.count,
            disturbances: disturbedAt.map { [DisturbanceRecord(atSeconds: $0, text: "kill detector")] } ?? [])
    }

    static func result(_ points: [BenchPoint]) -> BenchResult {
        var result = BenchResult(
            mode: "in-process", target: nil, pipeline: "detect", engine: "opencv", models: ["a"], inputs: 1,
            inputBytes: 9,
            environment: EnvironmentRecord(
                cpu: "x", cores: 2, kernel: "Linux", memoryMb: 1, version: "0", startedAt: 0),
            configuration: [:])
        result.points = points
        return result
    }

    @Test func peopleSeeWhatRanAndHowFast() {
        let text = BenchReport.text(
            Self.result([Self.point(LoadDescription(.concurrency, callers: 2), [100, 100, 100], isStable: false)]),
            percentile: nil, limit: nil)
        #expect(text.hasPrefix("in-process (a, opencv), pipeline detect, 1 picture"))
        #expect(text.contains("concurrency 2     100.0") && text.contains("unstable (3 windows)"))
        #expect(!text.contains("dropped") && !text.contains("resumption"))
    }

    @Test func aMeshOfAnotherVersionIsSaid() {
        var result = Self.result([Self.point(LoadDescription(.concurrency, callers: 2), [100])])
        result.versions = BenchResult.byRole([
            ("node", "2"), ("coordinator", "0"), ("node", "0"), ("node", ""), ("x", ""),
        ])
        #expect(result.versions == ["node": ["0", "2"], "coordinator": ["0"]])
        func text() -> String { BenchReport.text(result, percentile: nil, limit: nil) }
        #expect(text().contains("\nnote: measured with version 0, and of another are: node 0 and 2\n"))
        result.versions = ["node": ["0"]]
        #expect(!text().contains("note: measured with"))
    }

    /// What a coordinator of an older version did not measure has no words, and no number that looks like one.
    @Test func theSplitHasWhatAnswersTold() {
        func report(_ own: [(String, UInt64)]) -> (text: String, page: String) {
            var outcome = FrameOutcome(.ok, latency: .milliseconds(10))
            outcome.stages = [("detect.infer", 3000), ("detect.network", 300)] + own + [("total", 4000)]
            var tally = Tally()
            tally.record(outcome)
            let load = LoadDescription(.concurrency, callers: 1)
            let result = Self.result([BenchPoint(load, windows: [(tally, 1)], isStable: true, trials: 1)])
            return (BenchReport.text(result, percentile: nil, limit: nil), HTMLReport.text(result))
        }
        let told = report([("coordinator.fan_out", 3900), ("coordinator.merge", 4)])
        #expect(told.text.contains("  mean ms: infer 3.000, network 0.300, fan-out 3.900, merge 0.004"))
        #expect(told.page.contains("<td>3.900</td><td>0.004</td>") && !told.page.contains("inferred"))
        let inTurn = report([("coordinator.merge", 4), ("coordinator.turn", 5000)])
        #expect(inTurn.text.contains("merge 0.004, turn 5.000") && inTurn.page.contains("<td>0.004</td><td>5.000</td>"))
        let untold = report([])
        #expect(untold.text.hasSuffix("  mean ms: infer 3.000, network 0.300"))
        #expect(untold.page.contains("<td>0.300</td><td>–</td><td>–</td>"))
    }

    @Test func aRunThatEndedInAWarmUpHasWhatWasMeasuredBefore() {
        var result = Self.result([Self.point(LoadDescription(.concurrency, callers: 2), [100])])
        #expect(!result.isInterrupted)
        result.endedInWarmUp = true
        let text = BenchReport.text(result, percentile: nil, limit: 50)
        #expect(result.isInterrupted && text.contains("1 picture (interrupted)"))
        #expect(text.contains("the next point was not measured: the run ended in its warm-up"))
        #expect(text.hasSuffix("it ended before anything was known to stay within a mean of 50 ms"))
    }

    /// Its frames may fail, but what was to be measured is not what was.
    @Test func aDisturbanceThatFailedIsNoSuccess() throws {
        let command = try BenchCommand.parse(
            ["--pipeline", "detect", "--duration", "5", "--disturb", "run:false@1", "--disturb", "run:true@2"])
        var point = Self.point(LoadDescription(.concurrency, callers: 2), [100])
        point.disturbances = [DisturbanceRecord(atSeconds: 2, text: "run true: done after 0 s", exitCode: 0)]
        func conclude() throws { try command.conclude([Self.result([point])], try command.plan(), Console()) }
        try conclude()
        point.disturbances.append(
            DisturbanceRecord(atSeconds: 1, text: "run false: (pid 7) ended with code 1", hasFailed: true, exitCode: 1))
        let error = #expect(throws: Fatal.self) { try conclude() }
        #expect(error?.message == "the disturbance 'run false: (pid 7) ended with code 1' failed")
        #expect(error?.status == .failed)
        let json = try Self.result([point]).json()
        for words in [#""exit_code":1,"has_failed":true"#, #""exit_code":0,"has_failed":false"#] {
            #expect(json.contains(words), "\(words)")
        }
    }

    @Test func whyAReportCouldNotBeWrittenIsSaid() throws {
        let command = try BenchCommand.parse(["--pipeline", "detect", "--json", "/dev/full"])
        try command.reports.check()
        let result = Self.result([Self.point(LoadDescription(.concurrency, callers: 2), [100])])
        let error = #expect(throws: Fatal.self) { try command.conclude([result], try command.plan(), Console()) }
        #expect(error?.message == "cannot write /dev/full: no space left on device" && error?.status == .failed)
    }

    /// What it waited for then might have failed.
    @Test func aRunThatIsInterruptedBehindItsLastWindowIsNoSuccess() async throws {
        let command = try BenchCommand.parse(["--pipeline", "detect"])
        let plan = try command.plan()
        let whole = Self.result([Self.point(LoadDescription(.concurrency, callers: 2), [100])])
        try command.conclude([whole], plan, Console())
        let ending = Task {
            while !Task.isCancelled { await Task.yield() }
            try command.conclude([whole], plan, Console())
        }
        ending.cancel()
        await #expect(throws: CancellationError.self) { try await ending.value }
    }

    @Test func whatEndedAPointIsSaid() {
        var result = Self.result([Self.point(LoadDescription(.concurrency, callers: 2), [100])])
        result.error = "gone"
        func text() -> String { BenchReport.text(result, percentile: nil, limit: nil) }
        #expect(text().hasSuffix("\nthe next point was not measured: gone"))
        result.points[0].error = "gone"
        result.points[0].isInterrupted = true
        #expect(text().hasSuffix("\nthe run ended before its time: gone") && text().contains("interrupted\n"))
        let page = HTMLReport.text(result)
        #expect(page.contains("The run ended before its time: gone.") && !page.contains("The run was ended"))
        // All of its windows are there.
        result.points[0].isInterrupted = false
        #expect(text().hasSuffix("\nthe run ended with an error behind its last window: gone"))
        #expect(!text().contains("interrupted") && !text().contains("before its time"))
    }

    @Test func overloadIsBesideTheCapacity() {
        let loads = [0.5, 10].map {
            LoadDescription(.rate, callers: 8, rate: 100 * $0, arrivals: .constant, factor: $0)
        }
        var result = Self.result(zip(loads, [50, 90]).map { Self.point($0, [$1]) })
        result.capacity = 100
        let text = BenchReport.text(result, percentile: nil, limit: nil)
        #expect(text.contains("capacity: 100.0 frames/s") && text.contains("least goodput under overload: 90 % of it"))
    }

    /// As many as cannot saturate the mesh find too small a capacity.
    @Test func aCapacityThatWasFoundWithTooFewCallersIsSaid() {
        func report(_ goodput: Int) -> (text: String, page: String) {
            let load = LoadDescription(.rate, callers: 8, rate: 200, arrivals: .constant, factor: 2)
            let first = Self.point(LoadDescription(.concurrency, callers: 1), [200])
            var result = Self.result([first, Self.point(load, [goodput])])
            result.capacity = 100
            return (BenchReport.text(result, percentile: nil, limit: nil), HTMLReport.text(result))
        }
        #expect(report(150).text.contains("note: up to 150.0 frames/s were answered under overload"))
        #expect(report(150).page.contains("Note: up to 150.0 frames/s were answered under overload"))
        #expect(!report(110).text.contains("too few callers") && !report(110).page.contains("too few callers"))
    }

    @Test(arguments: [
        ([100, 100, 20, 100], 2, "as before within 2 s"), ([100], 0.5, "    too short to say what it did"),
    ])
    func whatADisturbanceDidIsBelowIt(_ rates: [Int], _ time: Double, _ words: String) throws {
        let point = Self.point(LoadDescription(.concurrency, callers: 2), rates, disturbedAt: time)
        let lines = BenchReport.text(Self.result([point]), percentile: nil, limit: nil).split(separator: "\n")
        let index = try #require(lines.firstIndex { $0.hasSuffix(" s: kill detector") })
        #expect(lines[index + 1].contains(words), "\(lines)")
    }

    @Test func aRollThatWasCutShortNamesWhatItDidNotDo() throws {
        var point = Self.point(LoadDescription(.concurrency, callers: 2), [100])
        point.disturbances = ["roll node", "roll coordinator", "roll node", "run roll node: done after 1 s"].map {
            DisturbanceRecord(atSeconds: 1, text: $0)
        }
        let whole = Self.result([point])
        #expect(whole.telling(cut: []) == whole)
        let cut = whole.telling(cut: [MeshPart(.node, 3), .coordinator, MeshPart(.node, 4)])
        let texts = [
            "roll node", "roll coordinator: cut short before coordinator served anew",
            "roll node: cut short before node-3, node-4 served anew", "run roll node: done after 1 s",
        ]
        #expect(cut.points[0].disturbances.map(\.text) == texts)
        #expect(BenchReport.text(cut, percentile: nil, limit: nil).contains("at 1 s: \(texts[2])\n"))
        #expect(try cut.json().contains(texts[2]))
    }

    @Test func whatFailedInNoWindowIsSaid() {
        var point = Self.point(LoadDescription(.streams, callers: 2, perStream: 1), [100])
        #expect(!BenchReport.text(Self.result([point]), percentile: nil, limit: nil).contains("out of order"))
        var whole = WholeRun()
        whole.record(FrameOutcome(.failed(cause: "gone"), latency: .zero))
        whole.record(FrameOutcome(.partial(cause: "classify is missing"), latency: .zero))
        whole.countOutOfOrder()
        point.wholeRun = whole
        let text = BenchReport.text(Self.result([point]), percentile: nil, limit: nil)
        #expect(text.contains("  1 failed outside of the windows that count: gone"))
        #expect(text.contains("  1 partial outside of the windows that count: classify is missing"))
        point.partials = ["classify is missing": 1]
        let shown = BenchReport.text(Self.result([point]), percentile: nil, limit: nil)
        #expect(shown.contains("  1 partial: classify is missing\n") && !shown.contains("partial outside"))
        #expect(text.contains("  1 answer out of order, each of which ended its stream"))
    }

    /// What is said of those that were not sent holds beside what is said of those that were.
    @Test(arguments: [
        (1, 0, "  1 frame had no answer at the end, after 2000.0 ms, and counts as at least that old"),
        (1, 1, "  1 frame was due and not sent yet at the end, after 2000.0 ms, and counts as at least that old"),
        (3, 0, "  3 frames had no answer at the end, the oldest after 2000.0 ms. Each counts as at least as old"),
        (3, 1, "  3 frames had no answer at the end, the oldest after 2000.0 ms; 1 of them was due and not sent yet. "),
        (9, 7, "the oldest after 2000.0 ms; 7 of them were due and not sent yet. Each counts"),
    ])
    func whatHadNoAnswerIsSaidOnce(_ unanswered: Int, _ unsent: Int, _ words: String) {
        var point = Self.point(LoadDescription(.rate, callers: 8, rate: 100, arrivals: .constant), [100])
        (point.unanswered, point.unsent, point.oldestUnansweredMs) = (UInt64(unanswered), UInt64(unsent), 2000)
        point.longestDelayMs = 67.2
        let text = BenchReport.text(Self.result([point]), percentile: nil, limit: nil)
        #expect(text.contains(words), "\(text)")
        #expect(text.contains("  of the frames that came to an end, the latest was sent 67.2 ms late") == (unsent > 0))
        #expect(text.contains("  the latest frame was sent 67.2 ms late") == (unsent == 0))
        #expect(HTMLReport.text(Self.result([point])).contains(String(words.drop { $0 == " " })))
    }

    /// As of a model that takes many seconds.
    @Test func aFrameInManySecondsIsMoreThanNone() {
        let load = LoadDescription(.cameras, callers: 4, rate: 0.01, policy: "latest")
        let point = BenchPoint(load, windows: [(Self.tally(1), 25), (Self.tally(1), 25)], isStable: true, trials: 2)
        var result = Self.result([point, Self.point(LoadDescription(.concurrency, callers: 2), [0])])
        result.capacity = 0.5
        let (text, page) = (BenchReport.text(result, percentile: nil, limit: nil), HTMLReport.text(result))
        #expect(text.contains("  0.0400  ") && text.contains("    0.0  ") && text.contains("capacity: 0.500 frames/s"))
        #expect(text.contains("delivered 0.01 frames/s of each camera"))
        #expect(page.contains("<td>0.0400</td>") && page.contains("Capacity: 0.500 frames/s."))
        let row = ComparisonText.lines(Comparison([Self.result([point])], [Self.result([point])])).dropFirst().first
        #expect(row?.contains("  0.0400 ± 0.") == true && row?.contains("  0.04 ± ") == false, "\(row ?? "")")
    }

    @Test func camerasTellTheAgeOfTheirFrames() {
        let load = LoadDescription(.cameras, callers: 4, rate: 25, policy: "latest")
        let text = BenchReport.text(Self.result([Self.point(load, [40, 40])]), percentile: nil, limit: nil)
        #expect(text.contains("delivered 10 frames/s of each camera, 0 out of order, age p50 10.0 ms"))
        let none = BenchReport.text(Self.result([Self.point(load, [0])]), percentile: nil, limit: nil)
        #expect(none.contains("delivered 0 frames/s of each camera") && !none.contains("age p50"))
    }

    /// Who is handed the page did not see the table.
    @Test func thePageSaysWhatTheTableSays() {
        let load = LoadDescription(.cameras, callers: 4, rate: 25, policy: "latest")
        var point = Self.point(load, [40, 40], disturbedAt: 1)
        (point.retried, point.resumptions, point.longestDelayMs) = (16, 1, 67.2)
        (point.outOfOrder, point.unanswered, point.oldestUnansweredMs) = (2, 3, 2000)
        var result = Self.result([point])
        (result.versions, result.endedInWarmUp, result.capacity) = (["node": ["2"]], true, 100)
        let text = BenchReport.text(result, percentile: 99, limit: 50)
        let page = HTMLReport.text(result, percentile: 99, limit: 50)
        for sentence in [
            "16 answered by another node after one failed, refused or was slow",
            "delivered 10 frames/s of each camera, 2 out of order, age p50 10.0 ms, p99 10.0 ms",
            "1 resumption after a lost coordinator, 0 frames sent again, last epoch 0",
            "the latest frame was sent 67.2 ms late", "2 answers out of order, each of which ended its stream",
            "3 frames had no answer at the end, the oldest after 2000.0 ms. Each counts as at least as old",
            "40.0 frames/s before it, 40.0 in the worst window, never much less",
            "note: measured with version 0, and of another are: node 2",
            "the next point was not measured: the run ended in its warm-up",
            "it ended before anything was known to stay within a p99 of 50 ms", "capacity: 100.0 frames/s",
        ] {
            #expect(text.contains(sentence), "\(sentence)")
            // There a sentence may begin with a capital.
            #expect(page.contains(String(sentence.dropFirst())), "\(sentence)")
        }
    }

    @Test(arguments: [0, 7] as [UInt64])
    func refusedFramesHaveAColumnWhereThereAreSome(_ refused: UInt64) {
        var point = Self.point(LoadDescription(.concurrency, callers: 2), [100])
        (point.failed, point.refused) = (9, refused)
        let result = Self.result([Self.point(LoadDescription(.concurrency, callers: 1), [100]), point])
        let (text, page) = (BenchReport.text(result, percentile: nil, limit: nil), HTMLReport.text(result))
        #expect(text.contains("  failed  refused\n") == (refused > 0))
        #expect(text.contains("       9        7") == (refused > 0))
        #expect(page.contains("<th>failed</th><th>refused</th><th>stable</th>") == (refused > 0))
        #expect(page.contains("<td>9</td><td>7</td>") == (refused > 0) && !page.contains("dropped"))
    }
}
