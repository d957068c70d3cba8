import Messages
import Testing
import Tracking

@Suite struct ClearMOTTests {
    private func entry(_ id: UInt64, _ x: Float) -> ClearMOT.Entry {
        ClearMOT.Entry(id: id, box: Box(x: x, y: 0, width: 10, height: 10))
    }

    @Test func aPerfectAnswerScoresOne() {
        var score = ClearMOT()
        for frame in 0..<10 {
            let x = Float(frame)
            score.add(truth: [entry(1, x), entry(2, x + 100)], tracks: [entry(8, x + 100), entry(7, x)])
        }
        #expect(score.mota == 1)
        #expect(score.idf1 == 1)
        #expect(score.motp == 1)
        #expect(score.identitySwitches == 0)
    }

    @Test func missesFalsePositivesAndSwitchesAreCounted() {
        var score = ClearMOT()
        score.add(truth: [entry(1, 0)], tracks: [entry(5, 0)])
        score.add(truth: [entry(1, 0)], tracks: [])
        score.add(truth: [entry(1, 0)], tracks: [entry(6, 0)])
        score.add(truth: [entry(1, 0)], tracks: [entry(6, 0), entry(9, 500)])
        #expect(score.misses == 1)
        #expect(score.falsePositives == 1)
        #expect(score.identitySwitches == 1)
        #expect(score.mota == 1 - 3.0 / 4)
        // Track 6 is right twice: 2 · 2 / (4 true + 4 of tracks).
        #expect(score.idf1 == 0.5)
    }

    @Test func aPairThatHeldGoesBeforeABetterOverlap() {
        var score = ClearMOT()
        score.add(truth: [entry(1, 0)], tracks: [entry(5, 0)])
        score.add(truth: [entry(1, 0)], tracks: [entry(5, 3), entry(6, 0)])
        #expect(score.identitySwitches == 0)
        #expect(score.falsePositives == 1)
    }

    @Test func emptySequencesAreNotAnError() {
        var score = ClearMOT()
        score.add(truth: [], tracks: [])
        #expect(score.mota == 1)
        #expect(score.idf1 == 1)
    }
}
