import Messages
import Testing
import Tracking

@Suite struct TrackerTests {
    private let frame: Int64 = 40_000

    /// One object that moves right at 100 pixels a second; the ids it got, for the given capture times.
    private func ids(at times: [Int64], configuration: Tracker.Configuration = .init()) -> [UInt64?] {
        var tracker = Tracker(configuration)
        return times.map { time in
            tracker.update([detection(Double(time) / 10_000, 50)], at: time)[0].trackID
        }
    }

    @Test func objectsOfTheFirstFrameGetIdsAtOnceLaterOnesAfterTwoSightings() {
        var tracker = Tracker()
        #expect(tracker.update([detection(0, 0)], at: 0).map(\.trackID) == [1])
        #expect(tracker.update([detection(300, 0), detection(1, 0)], at: frame).map(\.trackID) == [nil, 1])
        #expect(tracker.update([detection(300, 0), detection(2, 0)], at: 2 * frame).map(\.trackID) == [2, 1])
    }

    @Test func aFlickerNeverGetsAnId() {
        var tracker = Tracker()
        _ = tracker.update([], at: 0)
        for index in 1...20 {
            let seen = index % 2 == 0 ? [detection(300, 0)] : []
            #expect(tracker.update(seen, at: Int64(index) * frame).allSatisfy { $0.trackID == nil })
        }
        #expect(tracker.tracks.isEmpty)
    }

    @Test func motionIsKeptThroughAnOcclusion() {
        let seen = (0..<25).map { Int64($0) * frame }
        let again = (50..<60).map { Int64($0) * frame }
        var tracker = Tracker()
        for time in seen { _ = tracker.update([detection(Double(time) / 10_000, 50)], at: time) }
        for index in 25..<50 { _ = tracker.update([], at: Int64(index) * frame) }
        #expect(tracker.tracks.first?.unseen ?? .zero > .milliseconds(990))
        for time in again {
            #expect(tracker.update([detection(Double(time) / 10_000, 50)], at: time)[0].trackID == 1)
        }
    }

    @Test func droppedFramesDoNotSwitchIds() {
        var chance = Chance(state: 3)
        let times = (0..<400).map { Int64($0) * frame }
        let kept = times.prefix(2) + times.dropFirst(2).filter { _ in chance.uniform() < 0.5 }
        #expect(ids(at: Array(kept)).allSatisfy { $0 == 1 })
    }

    @Test func changingFrameRatesDoNotSwitchIds() {
        var time: Int64 = 0
        var times: [Int64] = []
        for index in 0..<300 {
            times.append(time)
            time += [20_000, 100_000, 33_333, 250_000][index / 20 % 4]
        }
        #expect(ids(at: times).allSatisfy { $0 == 1 })
    }

    @Test func theLostBufferIsADurationAndAnIdIsNeverUsedAgain() {
        var configuration = Tracker.Configuration()
        configuration.lostTrackBuffer = .milliseconds(500)
        func second(after gap: Int64) -> UInt64? {
            var tracker = Tracker(configuration)
            _ = tracker.update([detection(0, 0)], at: 0)
            _ = tracker.update([], at: gap / 2)
            _ = tracker.update([detection(0, 0)], at: gap)
            return tracker.update([detection(0, 0)], at: gap + frame)[0].trackID
        }
        #expect(second(after: 500_000) == 1)
        #expect(second(after: 500_001) == 2)
    }

    @Test func crossingObjectsKeepTheirIds() {
        var tracker = Tracker()
        for index in 0..<60 {
            let x = Double(index) * 6
            let answer = tracker.update(
                [detection(x, 100), detection(360 - x, 115)], at: Int64(index) * frame)
            #expect(answer.map(\.trackID) == [1, 2])
        }
    }

    @Test func objectsThatHideEachOtherWhileTheyCrossKeepTheirIds() {
        var tracker = Tracker()
        var last: [UInt64?] = []
        for index in 0..<80 {
            let x = Double(index) * 6
            let hidden = abs(480 - 2 * x) < 40
            let front = detection(x, 100)
            last = tracker.update(hidden ? [front] : [front, detection(480 - x, 100)], at: Int64(index) * frame)
                .map(\.trackID)
        }
        #expect(last == [1, 2])
    }

    @Test func weakDetectionsContinueATrackButNeverStartOne() {
        var tracker = Tracker()
        _ = tracker.update([detection(0, 0)], at: 0)
        for index in 1..<50 {
            let answer = tracker.update(
                [detection(Double(index), 0, confidence: 0.12), detection(500, 0, confidence: 0.2)],
                at: Int64(index) * frame)
            #expect(answer.map(\.trackID) == [1, nil])
        }
    }

    @Test func lowScoresAloneDoNotCutATrack() {
        // Overlap of about 0.6 from frame to frame; times a score of 0.3 it would fall under the paper's gate of 0.2.
        var tracker = Tracker()
        for index in 0..<20 {
            let shift = index % 2 == 0 ? 0.0 : 10.0
            #expect(tracker.update([detection(shift, 0, confidence: 0.3)], at: Int64(index) * frame)[0].trackID == 1)
        }
    }

    @Test func timeThatStandsStillOrStepsBackABitKeepsIds() {
        #expect(ids(at: [0, 40_000, 40_000, 80_000, 60_000, 60_000, 120_000, 100_000]).allSatisfy { $0 == 1 })
    }

    @Test func timeThatStepsFarBackStartsAgainWithNewIds() {
        var tracker = Tracker()
        _ = tracker.update([detection(0, 0)], at: 10_000_000)
        #expect(tracker.update([detection(0, 0)], at: 0)[0].trackID == 2)
        #expect(tracker.update([detection(0, 0)], at: .max)[0].trackID == nil)
        #expect(tracker.update([detection(0, 0)], at: .min)[0].trackID == 3)
    }

    @Test func aFlickeringClassKeepsItsIdAndIsNamedByVote() {
        var tracker = Tracker()
        for index in 0..<30 {
            let truck = index % 4 == 3
            let seen = detection(Double(index), 0, classID: truck ? 7 : 2, label: truck ? "truck" : "car")
            #expect(tracker.update([seen], at: Int64(index) * frame)[0].trackID == 1)
        }
        #expect(tracker.tracks.first?.label.label == "car")
    }

    @Test func requiredClassesAreNeverMixed() {
        var configuration = Tracker.Configuration()
        configuration.classRule = .require
        var tracker = Tracker(configuration)
        _ = tracker.update([detection(0, 0, classID: 1)], at: 0)
        #expect(tracker.update([detection(0, 0, classID: 2)], at: frame)[0].trackID == nil)
        #expect(tracker.update([detection(0, 0, classID: 2)], at: 2 * frame)[0].trackID == 2)
    }

    @Test func ofOverlappingObjectsEachKeepsItsClass() {
        var tracker = Tracker()
        let rider = detection(0, 0, classID: 0, label: "person")
        let bicycle = detection(4, 20, classID: 1, label: "bicycle")
        _ = tracker.update([rider, bicycle], at: 0)
        for index in 1..<10 {
            #expect(tracker.update([rider], at: Int64(index * 2) * frame)[0].trackID == 1)
            #expect(tracker.update([bicycle], at: Int64(index * 2 + 1) * frame)[0].trackID == 2)
        }
    }

    @Test func nonsenseIsReturnedUntracked() {
        var tracker = Tracker()
        let nonsense = [
            detection(.nan, 0), detection(0, .infinity), detection(0, 0, 0, 10), detection(0, 0, -5, 10),
            detection(0, 0, confidence: .nan), detection(0, 0, confidence: .infinity), detection(1e9, 0),
            detection(0, 0, .infinity, .infinity),
        ]
        for index in 0..<3 {
            let answer = tracker.update(nonsense + [detection(10, 10)], at: Int64(index) * frame)
            #expect(answer.count == nonsense.count + 1)
            #expect(answer.dropLast().allSatisfy { $0.trackID == nil })
            #expect(answer.last?.trackID == 1)
        }
    }

    @Test func idsThatCameInAreNotBelieved() {
        var tracker = Tracker()
        var old = detection(0, 0, confidence: 0.01)
        old.trackID = 99
        #expect(tracker.update([old], at: 0)[0].trackID == nil)
    }

    @Test func detectionsAndTracksAreBounded() {
        var configuration = Tracker.Configuration()
        configuration.maximumDetections = 10
        configuration.maximumTracks = 15
        var tracker = Tracker(configuration)
        let many = (0..<40).map { detection(Double($0) * 100, 0, confidence: 0.3 + Float($0) / 100) }
        #expect(
            tracker.update(many, at: 0).map { $0.trackID != nil } == Array(repeating: false, count: 30)
                + Array(repeating: true, count: 10))
        // Others in other places: lost ones give way, never more than 15 in all.
        for index in 1...20 {
            let others = (0..<10).map { detection(Double($0) * 100, Double(index * 200)) }
            _ = tracker.update(others, at: Int64(2 * index) * frame)
            #expect(tracker.update(others, at: Int64(2 * index + 1) * frame).allSatisfy { $0.trackID != nil })
            #expect(tracker.tracks.count <= 15)
        }
    }

    @Test func aThousandRandomFramesDoNoHarm() {
        var chance = Chance(state: 11)
        var tracker = Tracker()
        var time: Int64 = 0
        var greatest: UInt64 = 0
        for _ in 0..<1000 {
            time &+= Int64.random(in: -2_000_000...3_000_000, using: &chance)
            if chance.uniform() < 0.01 { time = Int64.random(in: .min ... .max, using: &chance) }
            let seen = (0..<Int.random(in: 0...25, using: &chance)).map { _ in
                let scale: Double = [1.0, 100, 1e5, 1e38].randomElement(using: &chance) ?? 1.0
                return detection(
                    (chance.uniform() - 0.3) * scale, (chance.uniform() - 0.3) * scale, chance.uniform() * scale,
                    chance.uniform() * scale, confidence: Float(chance.uniform() * 1.2 - 0.1),
                    classID: Int.random(in: 0...3, using: &chance))
            }
            let answer = tracker.update(seen, at: time)
            let given = answer.compactMap(\.trackID)
            #expect(answer.count == seen.count)
            #expect(Set(given).count == given.count)
            #expect(!given.contains(0))
            greatest = max(greatest, given.max() ?? 0)
            #expect(tracker.tracks.allSatisfy { $0.id <= greatest && $0.box.width.isFinite && $0.velocityX.isFinite })
        }
        #expect(greatest > 0)
    }
}
