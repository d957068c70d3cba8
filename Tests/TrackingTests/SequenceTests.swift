import Messages
import Testing
import Tracking

/// Synthetic sequences with floors; seen when written: clean 1.00/1.00, noisy 0.87–0.89/0.93–0.94, dropped 0.998/0.92–0.99 (MOTA/IDF1).
@Suite struct SequenceTests {
    /// - Parameter kept: share of frames that reach the tracker.
    private func run(_ scene: Scene, frames: Int = 750, rate: Double = 25, kept: Double = 1) -> (ClearMOT, [[UInt64?]])
    {
        var scene = scene
        var tracker = Tracker()
        var score = ClearMOT()
        var ids: [[UInt64?]] = []
        for index in 0..<frames {
            scene.step(1 / rate)
            let seen = scene.sightings()
            if kept < 1, scene.chance.uniform() >= kept { continue }
            let answer = tracker.update(seen, at: Int64(Double(index) * 1e6 / rate))
            score.add(truth: scene.truth, tracks: entries(answer))
            ids.append(answer.map(\.trackID))
        }
        return (score, ids)
    }

    @Test func cleanSequencesAreNearlyPerfect() {
        let (score, _) = run(Scene(objects: 6, seed: 1))
        #expect(score.mota > 0.99)
        #expect(score.idf1 > 0.97)
    }

    @Test func noiseMissesAndFalseAlarmsAreBorne() {
        for seed in UInt64(1)...5 {
            var scene = Scene(objects: 8, seed: seed)
            scene.noise = 0.03
            scene.missRate = 0.1
            scene.weakRate = 0.15
            scene.falseRate = 0.5
            let (score, _) = run(scene)
            #expect(score.mota > 0.84)
            #expect(score.idf1 > 0.9)
        }
    }

    @Test func halfOfTheFramesDroppedAtRandomHardlyMatters() {
        for seed in UInt64(1)...5 {
            var scene = Scene(objects: 8, seed: seed)
            scene.noise = 0.02
            let (score, _) = run(scene, kept: 0.5)
            #expect(score.mota > 0.98)
            #expect(score.idf1 > 0.85)
        }
    }

    @Test func theSameInputGivesTheSameIds() {
        var scene = Scene(objects: 12, seed: 5)
        scene.noise = 0.04
        scene.missRate = 0.2
        scene.falseRate = 1
        #expect(run(scene, frames: 300).1 == run(scene, frames: 300).1)
    }
}
