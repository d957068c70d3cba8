import Messages
import Testing
import Tracking

/// Objects that come back, and what only seems to be an object.
@Suite struct ReappearanceTests {
    private let frame: Int64 = 40_000

    /// Answers of a tracker to the given frames.
    private func ids(_ frames: [[Detection]], _ configuration: Tracker.Configuration = .init()) -> [[UInt64?]] {
        var tracker = Tracker(configuration)
        return frames.enumerated().map { tracker.update($1, at: Int64($0) * frame).map(\.trackID) }
    }

    private func seen(_ x: Double, frames: Int, classID: Int = 0) -> [[Detection]] {
        Array(repeating: [detection(x, 50, classID: classID)], count: frames)
    }

    /// It slides behind a wall of 50 pixels at 100 pixels a second: the box loses one side, is gone, and grows from the other.
    @Test func whatSlidesBehindAWallKeepsItsSpeedAndId() {
        var frames: [[Detection]] = []
        for index in 0..<75 {
            let left = Double(index) * 4, right = left + 40
            let before = min(right, 150) - left, after = right - max(left, 200)
            if before >= 14 {
                frames.append([detection(left, 50, before, 80)])
            } else if after >= 14 {
                frames.append([detection(right - after, 50, after, 80)])
            } else {
                frames.append([])
            }
        }
        let answers = ids(frames)
        #expect(answers.count { $0.isEmpty } >= 3)
        #expect(answers.allSatisfy { $0.isEmpty || $0 == [1] }, "\(answers)")
    }

    @Test func whatTurnedWhileItWasHiddenIsFoundAgain() {
        let gone = Array(repeating: [Detection](), count: 12)
        // One and a half times its height away, where it never went: no overlap with any prediction.
        let answers = ids(seen(100, frames: 10) + gone + seen(180, frames: 5))
        #expect(answers.suffix(5).allSatisfy { $0 == [1] }, "\(answers)")
    }

    @Test func whatIsTooFarAwayIsAnother() {
        let gone = Array(repeating: [Detection](), count: 5)
        let answers = ids(seen(100, frames: 10) + gone + seen(400, frames: 8))
        #expect(answers.last == [2])
    }

    /// It may be the lost one under another name, and gets an id of its own only when that is unlikely.
    @Test func anotherClassNearALostObjectWaitsForItsId() {
        let answers = ids(seen(100, frames: 10) + seen(130, frames: 10, classID: 1))
        #expect(answers[10..<14].allSatisfy { $0 == [nil] }, "\(answers)")
        #expect(answers.last == [2])
        var configuration = Tracker.Configuration()
        configuration.classRule = .require
        #expect(ids(seen(100, frames: 10) + seen(130, frames: 10, classID: 1), configuration)[11] == [2])
    }

    @Test func aSecondBoxOfAnotherClassOnOneObjectGetsNoIdAtOnce() {
        let both = [detection(100, 50), detection(102, 60, 30, 60, confidence: 0.5, classID: 1)]
        let answers = ids(Array(repeating: both, count: 12))
        #expect(answers[..<7].allSatisfy { $0 == [1, nil] }, "\(answers)")
        #expect(answers.last == [1, 2])
    }

    @Test func lowConfidenceNeedsMoreSightings() {
        let weak = [detection(300, 50, confidence: 0.35)]
        let answers = ids([[]] + Array(repeating: weak, count: 5))
        #expect(answers == [[], [nil], [nil], [nil], [1], [1]])
    }

    @Test func weakDetectionsContinueALostTrack() {
        let gone = Array(repeating: [Detection](), count: 5)
        let answers = ids(seen(100, frames: 10) + gone + [[detection(100, 50, confidence: 0.15)]])
        #expect(answers.last == [1])
    }
}
