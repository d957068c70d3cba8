import Evaluation
import Foundation
import Messages
import Testing
import Tracking

/// Videos of digits that cross each other and hide behind walls, as the bundled detector sees them
/// (`dev/digits/make_sequences.py`). benchmarks/README.md has the scores.
@Suite struct DigitVideosTests {
    struct Video: CustomTestStringConvertible, Sendable {
        var name: String
        var detections: DetectionsFile
        var truth: MOTSequence
        /// Of each frame, each digit's box and the share of its ink that shows.
        var digits: [[(box: Box, visible: Double)]]

        var testDescription: String { name }

        static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Sequences")
        static let rate = 25.0

        init(name: String) throws {
            func text(_ path: String) throws -> String {
                try String(contentsOf: Self.folder.appending(path: "\(name)/\(path)"), encoding: .utf8)
            }
            self.name = name
            detections = try DetectionsFile(text: text("det/det.txt"))
            truth = try MOTSequence(text: text("gt/gt.txt"), isTruth: true)
            digits = []
            for line in try text("gt/gt.txt").split(separator: "\n") {
                let values = line.split(separator: ",").compactMap { Double($0) }
                while digits.count < Int(values[0]) { digits.append([]) }
                let box = Box(
                    x: Float(values[2]), y: Float(values[3]), width: Float(values[4]), height: Float(values[5]))
                digits[digits.count - 1].append((box, values[8]))
            }
        }

        static let all: [Video] = {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.sorted().compactMap { try? Video(name: $0) }
        }()
    }

    /// - Parameter kept: share of the frames that reach the tracker.
    /// - Returns: how often boxes carry the right identity, for `IDF1 = 2 · right / (true boxes + boxes of tracks)`.
    private func follow(_ video: Video, kept: Double = 1, seed: UInt64 = 0) -> ClearMOT {
        var chance = Chance(state: seed)
        var tracker = Tracker()
        var score = ClearMOT()
        for frame in 1...video.digits.count {
            if kept < 1, chance.uniform() >= kept { continue }
            let time = Int64((Double(frame - 1) * 1e6 / Video.rate).rounded())
            let answer = tracker.update(video.detections[frame], at: time)
            score.add(truth: video.truth[frame], tracks: entries(answer))
        }
        return score
    }

    private func idf1(_ scores: [ClearMOT]) -> Double {
        let right = scores.reduce(0) { $0 + $1.identityMatches }
        return 2 * Double(right) / Double(scores.reduce(0) { $0 + $1.truthCount + $1.trackCount })
    }

    @Test func digitsKeepTheirIdentity() {
        #expect(Video.all.count == 6)
        let scores = Video.all.map { follow($0) }
        // It is 0.964: whoever knew each box's object would reach 0.982. benchmarks/README.md says what is left.
        #expect(idf1(scores) >= 0.96, "\(scores.map(\.idf1))")
        for (video, score) in zip(Video.all, scores) { #expect(score.idf1 >= 0.88, "\(video.name) \(score.idf1)") }
        #expect(scores.reduce(0) { $0 + $1.identitySwitches } <= 5)
    }

    @Test(arguments: UInt64(1)...5)
    func theyKeepItWhenHalfOfTheFramesAreDropped(_ seed: UInt64) {
        let scores = Video.all.map { follow($0, kept: 0.5, seed: seed) }
        #expect(idf1(scores) >= 0.92, "\(scores.map(\.idf1))")
        let frames = scores.reduce(0) { $0 + $1.frames }, all = Video.all.reduce(0) { $0 + $1.digits.count }
        #expect(abs(Double(frames) / Double(all) - 0.5) < 0.08)
    }

    /// Otherwise the scores would say little.
    @Test(arguments: Video.all)
    func digitsReallyCrossAndHide(_ video: Video) {
        var crossings = 0, hidden = 0
        var before = Set<[Int]>()
        for digits in video.digits {
            var now = Set<[Int]>()
            for one in digits.indices {
                for other in 0..<one where digits[one].box.iou(digits[other].box) >= 0.1 { now.insert([other, one]) }
            }
            crossings += now.subtracting(before).count
            before = now
        }
        for index in video.digits[0].indices {
            let seen = video.digits.map { $0[index].visible >= 0.5 }
            // Seen, then not, then seen again.
            let returns = zip(seen, seen.dropFirst()).count { !$0 && $1 }
            hidden += seen[0] ? returns : max(0, returns - 1)
        }
        #expect(crossings >= 3)
        #expect(hidden >= 2)
    }
}
