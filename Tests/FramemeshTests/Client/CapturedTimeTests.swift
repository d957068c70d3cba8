import Testing

@testable import framemesh

/// The wall-clock time of a frame, from its time within its source.
@Suite struct CapturedTimeTests {
    private static let beginning: Int64 = 1_700_000_000_000_000

    @Test func liveSourcesAloneHaveIt() {
        #expect(VideoRunner.capturedAt(0, beginning: Self.beginning) == 1_700_000_000_000)
        #expect(VideoRunner.capturedAt(40_999, beginning: Self.beginning) == 1_700_000_000_040)
        #expect(VideoRunner.capturedAt(40_999, beginning: nil) == nil)
    }

    /// A source says what it likes.
    @Test func aTimeBeyondAllTimesIsLeftOut() {
        #expect(VideoRunner.capturedAt(.max, beginning: Self.beginning) == nil)
    }
}
