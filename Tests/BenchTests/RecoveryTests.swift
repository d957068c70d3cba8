import Foundation
import Testing

@testable import Bench

@Suite struct RecoveryTests {
    /// - Parameter rates: of windows of one second.
    private static func each(_ times: [Double], _ rates: [Int]) -> [Recovery?] {
        Recovery.each(after: times, rates.map { WindowRecord(Samples.tally($0, ms: 1), seconds: 1) })
    }

    @Test(arguments: [
        ([100, 100, 20, 50, 95, 100], "20.0 in the worst window, as before within 3 s"),
        ([100, 100, 20, 50, 60, 70], "20.0 in the worst window, not as before until the next one or the end"),
        ([100, 100, 98, 97, 99, 100], "97.0 in the worst window, never much less"),
    ])
    func whatWasBeforeIsTheMeasure(_ rates: [Int], _ words: String) throws {
        let text = try #require(Self.each([2], rates)[0]).text
        #expect(text.hasPrefix("100.0 frames/s before it") && text.hasSuffix(words), "\(text)")
    }

    /// Each has its own before, and its own time.
    @Test func everyDisturbanceIsTold() throws {
        let rates = [100, 100, 10, 100, 100, 100, 50, 50, 50, 50, 90, 100, 20, 49]
        let found = Self.each([2, 6, 9.5, 12], rates)
        #expect(found.map { $0?.framesPerSecondBefore } == [100, 100, 50, 95])
        #expect(found.map { $0?.framesPerSecondWorst } == [10, 50, 90, 20])
        #expect(found.map { $0?.secondsUntilAsBefore } == [2, nil, 0, nil])
    }

    /// The median of the windows before: one that had not recovered yet does not count for less.
    @Test func aShortFallBeforeIsNotWhatIsUsual() throws {
        let second = try #require(Self.each([1, 6], [100, 0, 100, 100, 100, 100, 60, 100])[1])
        #expect(second == Self.each([1, 6], [100, 9, 100, 100, 100, 100, 60, 100])[1])
        #expect(second.framesPerSecondBefore == 100 && second.secondsUntilAsBefore == 2)
    }

    @Test func thoseAtTheSameTimeAreFollowedByTheSame() {
        let found = Self.each([2, 2.1], [100, 100, 40, 100])
        #expect(found.map { $0?.framesPerSecondBefore } == [100, 100])
        #expect(found.map { $0?.framesPerSecondWorst } == [40, 40])
        #expect(found.map { $0?.secondsUntilAsBefore } == [2, 1.9])
    }

    @Test func withoutAWindowBeforeOrAfterNothingIsKnown() {
        #expect(
            Self.each([0.4], [100, 100]) == [nil] && Self.each([2], [100, 100]) == [nil] && Self.each([1], []) == [nil])
    }

    /// Windows end a little after their time, and disturbances come a little after theirs.
    @Test func aWindowAtWhoseEndItCameIsBefore() throws {
        let windows = [100, 100, 20, 100].map { WindowRecord(Samples.tally($0, ms: 1), seconds: 1.002) }
        let found = try #require(Recovery.each(after: [2.001], windows)[0])
        #expect(found.framesPerSecondBefore > 99 && found.framesPerSecondWorst < 21)
    }

    /// The last window of a run that was interrupted may be a moment long.
    @Test func aWindowThatWasCutShortIsNoFall() {
        let point = BenchPoint(
            LoadDescription(.concurrency, callers: 1),
            windows: [
                (Samples.tally(100, ms: 1), 1), (Samples.tally(100, ms: 1), 1), (Samples.tally(0, ms: 1), 0.003),
            ],
            isStable: false, trials: 3, isInterrupted: true,
            disturbances: [DisturbanceRecord(atSeconds: 1, text: "kill node")])
        #expect(point.disturbances[0].recovery?.secondsUntilAsBefore == 0)
    }

    @Test func resultsHaveItOfEachDisturbance() throws {
        var whole = Samples.result([
            BenchPoint(
                LoadDescription(.concurrency, callers: 1),
                windows: [100, 100, 50, 100].map { (Samples.tally($0, ms: 1), 1) },
                isStable: false, trials: 4,
                disturbances: [2, 3].map { DisturbanceRecord(atSeconds: $0, text: "kill node") })
        ])
        let disturbances = whole.points[0].disturbances
        #expect(disturbances.map { $0.recovery?.secondsUntilAsBefore } == [nil, 0])
        #expect(try BenchResult.read(Data(try whole.json().utf8)) == [whole])
        #expect(try whole.json().contains(#""recovery":{"frames_per_second_before":100,"frames_per_second_worst":50}"#))
        #expect(HTMLReport.text(whole).contains("<td>kill node</td><td>100.0 frames/s before it, 50.0 in the worst "))
        // Of an older program.
        whole.points[0].disturbances[0].recovery = nil
        #expect(try BenchResult.read(Data(try whole.json().utf8)) == [whole])
    }
}
