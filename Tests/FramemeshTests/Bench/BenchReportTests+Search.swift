import ArgumentParser
import Bench
import Testing

@testable import framemesh

/// The answer of `--latency-limit`.
extension BenchReportTests {
    @Test func aSearchSaysWhatItFound() {
        var result = Self.result([Self.point(LoadDescription(.concurrency, callers: 2), [100])])
        #expect(
            BenchReport.text(result, percentile: 99, limit: 50).hasSuffix(
                "nothing that was measured stays within a p99 of 50 ms"))
        result.bestConcurrency = 2
        #expect(
            BenchReport.text(result, percentile: nil, limit: 50).hasSuffix(
                "no more were tried: within a mean of 50 ms are at least 2"))
        #expect(HTMLReport.text(result, limit: 50).contains("tried: within a mean of 50 ms are at least 2."))
        result.points.append(Self.point(LoadDescription(.concurrency, callers: 4), [100]))
        #expect(
            BenchReport.text(result, percentile: nil, limit: 50).hasSuffix("most at once within a mean of 50 ms: 2"))
        #expect(HTMLReport.text(result, limit: 50).contains("Most at once within a mean of 50 ms: 2."))
    }

    @Test func anUnstableAnswerOfASearchIsMarked() {
        var points = [1, 2, 4].map { Self.point(LoadDescription(.concurrency, callers: $0), [100], isStable: $0 != 4) }
        points[0].isWithinLimit = true
        points[1].isWithinLimit = true
        points[2].isWithinLimit = false
        var result = Self.result(points)
        result.bestConcurrency = result.mostWithinLimit
        func answer() -> String { BenchReport.text(result, percentile: nil, limit: 50) }
        func page() -> String { HTMLReport.text(result, limit: 50) }
        #expect(answer().hasSuffix("ms: 2") && page().contains("ms: 2."))
        result.points[1].isStable = false
        #expect(answer().hasSuffix("ms: 2 (unstable: its windows did not agree)"))
        #expect(page().contains("ms: 2 (unstable: its windows did not agree)."))
    }

    /// The point that was cut short is no answer, and those before it are none but a bound.
    @Test func aSearchThatWasInterruptedSaysSo() {
        var points = [1, 2, 4].map { Self.point(LoadDescription(.concurrency, callers: $0), [100]) }
        for index in points.indices { points[index].isWithinLimit = true }
        points[2].isInterrupted = true
        var result = Self.result(points)
        result.bestConcurrency = result.mostWithinLimit
        #expect(
            BenchReport.text(result, percentile: nil, limit: 50).hasSuffix(
                "it ended before its answer: within a mean of 50 ms are at least 2"))
    }

    /// As where a coordinator takes no more connections.
    @Test func aSearchWithAPointThatCouldNotBeMeasuredHasABoundOnly() {
        var points = [1, 2].map { Self.point(LoadDescription(.concurrency, callers: $0), [100]) }
        for index in points.indices { points[index].isWithinLimit = true }
        var result = Self.result(points)
        result.error = "gone"
        func answer() -> String { BenchReport.text(result, percentile: nil, limit: 50) }
        #expect(answer().hasSuffix("it ended before anything was known to stay within a mean of 50 ms"))
        result.bestConcurrency = result.mostWithinLimit
        #expect(answer().hasSuffix("it ended before its answer: within a mean of 50 ms are at least 2"))
        #expect(HTMLReport.text(result, limit: 50).contains("its answer: within a mean of 50 ms are at least 2."))
    }

    /// Who asks how much is answered in time asks for more than that, too.
    @Test func whatFailsBeyondTheAnswerOfASearchIsNoFailure() throws {
        let search = try BenchCommand.parse(["--pipeline", "detect", "--latency-limit", "50"])
        let sweep = try BenchCommand.parse(["--pipeline", "detect", "--latency-limit", "50", "--concurrency", "2"])
        var points = [1, 2].map { Self.point(LoadDescription(.concurrency, callers: $0), [100]) }
        (points[0].isWithinLimit, points[1].isWithinLimit, points[1].failed) = (true, false, 3)
        var result = Self.result(points)
        result.bestConcurrency = result.mostWithinLimit
        try search.conclude([result], try search.plan(), Console())
        #expect(throws: Fatal.self) { try sweep.conclude([result], try sweep.plan(), Console()) }
        // Of the answer itself, or where there is none, they are.
        result.points[0].failed = 1
        #expect(throws: Fatal.self) { try search.conclude([result], try search.plan(), Console()) }
        result.points.removeFirst()
        result.bestConcurrency = nil
        #expect(throws: Fatal.self) { try search.conclude([result], try search.plan(), Console()) }
    }
}
