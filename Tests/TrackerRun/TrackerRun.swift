import ArgumentParser
import Evaluation
import Foundation
import Messages
import Tracking

/// The tracker alone, on detections in a file, for `benchmarks/tracking`: who wrote them, and who scores the tracks, is
/// somebody else.
@main
struct TrackerRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracker-run", abstract: "Follows the detections of a file, and says how long that took.")

    @Option(help: "A det.txt of the MOT Challenge, with the class as eighth field.")
    var detections: String
    @Option(help: "Numbers of the frames that there are, a line each: others were dropped.")
    var frames: String
    @Option(help: "Frames a second: frame n is of (n - 1) / rate.")
    var rate = 25.0
    @Option(help: "Where the tracks go, as text of the MOT Challenge.")
    var output: String
    @Option(help: "How often all frames are followed from the start; the quickest pass counts.")
    var repeats = 1

    func run() throws {
        let found = try DetectionsFile(text: String(contentsOfFile: detections, encoding: .utf8))
        let numbers = try String(contentsOfFile: frames, encoding: .utf8).split(whereSeparator: \.isNewline)
            .compactMap { Int($0) }
        var quickest = Duration.seconds(Int64(Int32.max))
        var answers: [[Detection]] = []
        let clock = ContinuousClock()
        for _ in 0..<max(1, repeats) {
            var configuration = Tracker.Configuration()
            configuration.maximumDetections = 2000
            configuration.maximumTracks = 4000
            var tracker = Tracker(configuration)
            answers.removeAll(keepingCapacity: true)
            let time = clock.measure {
                for number in numbers {
                    let time = Int64((Double(number - 1) * 1e6 / rate).rounded())
                    answers.append(tracker.update(found[number], at: time))
                }
            }
            quickest = min(quickest, time)
        }
        var text = ""
        for (number, answer) in zip(numbers, answers) {
            for detection in answer {
                guard let id = detection.trackID else { continue }
                let box = detection.box
                text += "\(number),\(id),\(box.x + 1),\(box.y + 1),\(box.width),\(box.height),1,-1,-1,-1\n"
            }
        }
        try text.write(toFile: output, atomically: true, encoding: .utf8)
        print("{\"frames\":\(numbers.count),\"seconds\":\(quickest / .seconds(1))}")
    }
}
