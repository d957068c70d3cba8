import Jobs
import Messages
import Testing

@testable import Gateway

@Suite struct FrameSpoolTests {
    private static let start = ContinuousClock.now

    private static var limits: VideoJobLimits {
        var limits = VideoJobLimits()
        limits.batchFrames = 3
        limits.batchTime = .milliseconds(100)
        return limits
    }

    private static func response(_ sequence: UInt64, _ status: AnswerStatus = .ok, cause: String = "")
        -> AnalyzeResponse
    {
        var response = AnalyzeResponse()
        response.sequence = sequence
        response.status = status
        response.cause = cause
        return response
    }

    @Test func resultsGoTogetherWhenThereAreEnough() throws {
        var spool = FrameSpool(Self.limits, done: 7, now: Self.start)
        #expect(spool.add(Self.response(7), now: Self.start) == nil)
        #expect(spool.add(Self.response(8, .error, cause: "no node"), now: Self.start) == nil)
        let taken = spool.add(Self.response(9, .dropped), now: Self.start + .milliseconds(50))
        let batch = try #require(taken)
        #expect(batch.results.map(\.sequence) == [7, 8, 9])
        #expect(batch.failed == 1 && batch.dropped == 1)
        #expect(batch.causes.list.map(\.words) == ["no node"])
        #expect(batch.rate == 60)
        #expect(try batch.results.map { try $0.response.status } == [.ok, .error, .dropped])
        #expect(spool.take(now: Self.start) == nil)
    }

    @Test func resultsThatLackAStageAreCounted() throws {
        var spool = FrameSpool(Self.limits, done: 0, now: Self.start)
        _ = spool.add(Self.response(0, .partial, cause: "without classify"), now: Self.start)
        _ = spool.add(Self.response(1), now: Self.start)
        let taken = spool.take(now: Self.start)
        let batch = try #require(taken)
        #expect(batch.partial == 1 && batch.failed == 0 && batch.causes.list.isEmpty)
    }

    @Test func noResultWaitsForLong() throws {
        var spool = FrameSpool(Self.limits, done: 0, now: Self.start)
        #expect(spool.add(Self.response(0), now: Self.start + .milliseconds(99)) == nil)
        let taken = spool.add(Self.response(1), now: Self.start + .milliseconds(100))
        let batch = try #require(taken)
        #expect(batch.results.count == 2)
        #expect(spool.add(Self.response(2), now: Self.start + .milliseconds(150)) == nil)
        #expect(spool.take(now: Self.start + .milliseconds(151))?.results.map(\.sequence) == [2])
    }

    @Test func largeResultsGoSooner() {
        var limits = Self.limits
        limits.batchBytes = 100
        var spool = FrameSpool(limits, done: 0, now: Self.start)
        let large = Self.response(0, .error, cause: String(repeating: "x", count: 200))
        #expect(spool.add(large, now: Self.start) != nil)
    }
}
