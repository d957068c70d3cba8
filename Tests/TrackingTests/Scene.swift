import Messages
import Tracking

/// Small, seeded, the same on every machine (SplitMix64).
struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform() -> Double { Double.random(in: 0..<1, using: &self) }

    /// Bell-shaped around zero, deviation 1 (sum of twelve).
    mutating func bell() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + uniform() } }
}

func detection(
    _ x: Double, _ y: Double, _ width: Double = 40, _ height: Double = 80, confidence: Float = 0.9, classID: Int = 0,
    label: String = "person"
) -> Detection {
    Detection(
        classID: classID, label: label, confidence: confidence,
        box: Box(x: Float(x), y: Float(y), width: Float(width), height: Float(height)))
}

/// Objects that walk in straight lines, bounce at the walls of a 1,280 × 720 picture, and are seen through noise.
struct Scene {
    struct Walker {
        var x: Double
        var y: Double
        var velocityX: Double
        var velocityY: Double
        var height: Double
    }

    /// Share of sightings that are missing.
    var missRate = 0.0
    /// Share of sightings that come with low confidence.
    var weakRate = 0.0
    /// Mean number of false detections a frame.
    var falseRate = 0.0
    /// Deviation of each edge, in box sizes.
    var noise = 0.0
    var walkers: [Walker]
    var chance: Chance

    init(objects: Int, seed: UInt64) {
        chance = Chance(state: seed)
        walkers = []
        for _ in 0..<objects {
            walkers.append(
                Walker(
                    x: chance.uniform() * 1200, y: chance.uniform() * 600, velocityX: chance.uniform() * 240 - 120,
                    velocityY: chance.uniform() * 80 - 40, height: 60 + chance.uniform() * 60))
        }
    }

    mutating func step(_ seconds: Double) {
        for index in walkers.indices {
            walkers[index].x += walkers[index].velocityX * seconds
            walkers[index].y += walkers[index].velocityY * seconds
            if walkers[index].x < 0 || walkers[index].x > 1240 { walkers[index].velocityX *= -1 }
            if walkers[index].y < 0 || walkers[index].y > 640 { walkers[index].velocityY *= -1 }
        }
    }

    var truth: [ClearMOT.Entry] {
        walkers.enumerated().map { index, walker in
            ClearMOT.Entry(
                id: UInt64(index + 1),
                box: Box(
                    x: Float(walker.x), y: Float(walker.y), width: Float(walker.height / 2),
                    height: Float(walker.height)))
        }
    }

    mutating func sightings() -> [Detection] {
        var seen: [Detection] = []
        for walker in walkers where chance.uniform() >= missRate {
            let deviation = noise * walker.height
            seen.append(
                detection(
                    walker.x + chance.bell() * deviation / 2, walker.y + chance.bell() * deviation,
                    walker.height / 2 * (1 + chance.bell() * noise), walker.height * (1 + chance.bell() * noise),
                    confidence: chance.uniform() < weakRate ? 0.15 : Float(0.4 + 0.5 * chance.uniform())))
        }
        if chance.uniform() < falseRate {
            seen.append(
                detection(
                    chance.uniform() * 1200, chance.uniform() * 600, confidence: Float(0.3 * chance.uniform() + 0.1)))
        }
        return seen.shuffled(using: &chance)
    }
}

func entries(_ detections: [Detection]) -> [ClearMOT.Entry] {
    detections.compactMap { detection in
        detection.trackID.map { ClearMOT.Entry(id: $0, box: detection.box) }
    }
}
