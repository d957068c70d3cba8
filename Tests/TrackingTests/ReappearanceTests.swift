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

    /// It walks behind one that stands, turns there, and comes out where it went in: no overlap with its prediction.
    @Test func whatTurnedWhileItWasHiddenIsFoundAgain() {
        let front = detection(200, 45, 60, 90, classID: 1)
        let way = Array(stride(from: 360.0, through: 240, by: -4)),
            back = Array(stride(from: 280.0, through: 360, by: 4))
        let answers = ids(
            way.map { [front, detection($0, 50)] } + Array(repeating: [front], count: 20)
                + back.map { [front, detection($0, 50)] })
        #expect(answers.allSatisfy { $0 == [1] || $0 == [1, 2] }, "\(answers)")
        #expect(answers.last == [1, 2])
    }

    @Test func whatIsTooFarAwayIsAnother() {
        let gone = Array(repeating: [Detection](), count: 5)
        let answers = ids(seen(100, frames: 10) + gone + seen(400, frames: 8))
        #expect(answers.last == [2])
    }

    /// What is hidden may come out at the other side, not anywhere.
    @Test func nothingIsLookedForBeyondThreeSizes() {
        let front = detection(200, 45, 60, 90, classID: 1)
        let hidden = Array(stride(from: 60.0, through: 180, by: 4)).map { [front, detection($0, 50)] }
        let gone = Array(repeating: [front], count: 25)
        let answers = ids(hidden + gone + Array(repeating: [front, detection(500, 50)], count: 10))
        #expect(answers[30] == [1, 2])
        #expect(answers.last == [1, 3])
    }

    /// In a picture of four corners the next object of the class fills another one: also when frames between them are missing.
    @Test(arguments: [40_000, 100_000, 200_000, 500_000, 1_000_000, 1_150_000, 3_000_000, 8_000_000] as [Int64])
    func whatComesInAnotherCornerIsAnother(after gap: Int64) {
        for (column, row) in [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            for between in [0, 1, 5] {
                var tracker = Tracker()
                var time: Int64 = 0
                var first: [UInt64?] = [], second: [UInt64?] = []
                for _ in 0..<16 {
                    first += tracker.update([detection(0, 0, 160, 160)], at: time).map(\.trackID)
                    time += 100_000
                }
                // The detector looked and found nothing, or no frame came at all.
                time -= 100_000
                for index in 0..<between { _ = tracker.update([], at: time + gap * Int64(index + 1) / 6) }
                time += gap
                for _ in 0..<16 {
                    let other = detection(160 * column, 160 * row, 160, 160)
                    second += tracker.update([other], at: time).map(\.trackID)
                    time += 100_000
                }
                #expect(first == Array(repeating: 1, count: 16))
                #expect(second == [nil] + Array(repeating: 2, count: 15), "\(column) \(row) \(between)")
            }
        }
    }

    /// One walks to the right and vanishes in the open; another one of its class stands elsewhere, now or later.
    @Test(arguments: [40_000, 200_000, 480_000, 1_000_000, 1_150_000, 3_000_000] as [Int64])
    func whatVanishesInTheOpenIsNotFoundElsewhere(after gap: Int64) {
        for (x, y) in [(300.0, 50.0), (40.0, 170.0), (40.0, 600.0), (700.0, 50.0)] {
            var tracker = Tracker()
            for index in 0...25 { _ = tracker.update([detection(Double(index) * 2, 50)], at: Int64(index) * frame) }
            for index in 0..<5 {
                let seen = tracker.update([detection(x, y)], at: 25 * frame + gap + Int64(index) * frame)
                #expect(seen.map(\.trackID) == [index == 0 ? nil : 2], "\(x) \(y) \(index)")
            }
        }
    }

    /// The detector missed it for some frames while it turned.
    @Test func whatTurnedInTheOpenIsFoundAgainSoon() {
        let way = Array(stride(from: 300.0, through: 100, by: -6)),
            back = Array(stride(from: 150.0, through: 240, by: 6))
        func answers(gone frames: Int) -> [[UInt64?]] {
            ids(
                way.map { [detection($0, 50)] } + Array(repeating: [], count: frames) + back.map { [detection($0, 50)] }
            )
        }
        #expect(answers(gone: 6).allSatisfy { $0.isEmpty || $0 == [1] })
        #expect(answers(gone: 20).last == [2])
    }

    @Test func aWeakBoxBesideAMissedObjectDoesNotTakeItsId() {
        let missed = [detection(130, 50, confidence: 0.4)]
        let answers = ids(seen(100, frames: 10) + [missed] + seen(100, frames: 5))
        #expect(answers[10] == [nil])
        #expect(answers.suffix(5).allSatisfy { $0 == [1] })
        #expect(ids(seen(100, frames: 10) + [[detection(130, 50)]])[10] == [1])
    }

    /// A car leaves the picture of 640 pixels, and on the other lane one comes into it at the same side.
    @Test(arguments: [1, 3, 5, 10, 20])
    func whatComesInOnTheOtherLaneIsAnother(after gap: Int) {
        func car(_ left: Double, _ y: Double) -> [Detection] {
            let width = min(left + 120, 640) - left
            return width >= 24 ? [detection(left, y, width, 60)] : []
        }
        let leaving = Array(stride(from: 240.0, to: 640, by: 8)).map { car($0, 200) }.filter { !$0.isEmpty }
        let coming = Array(stride(from: 616.0, through: 240, by: -8)).map { car($0, 290) }
        let answers = ids(leaving + Array(repeating: [], count: gap) + coming)
        #expect(answers.prefix(leaving.count).allSatisfy { $0 == [1] })
        #expect(answers.suffix(coming.count).allSatisfy { $0 == [nil] || $0 == [2] }, "\(answers)")
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
