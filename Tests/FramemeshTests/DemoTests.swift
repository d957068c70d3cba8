import Foundation
import Messages
import Testing

@testable import framemesh

@Suite struct DemoTests {
    private func digit(_ label: String, _ x: Float, _ y: Float, height: Float = 50, classes: [String] = []) -> Detection
    {
        Detection(
            classID: 0, label: label, confidence: 0.9, box: Box(x: x, y: y, width: height * 0.7, height: height),
            classes: classes.map { Classification(classID: 0, label: $0, confidence: 0.8) })
    }

    @Test func digitsBesideEachOtherAreOneNumber() {
        let digits = [digit("2", 150, 105), digit("1", 100, 100), digit("3", 200, 95), digit("7", 400, 100)]
        #expect(NumberReader.numbers(digits) == ["123", "7"])
    }

    @Test func linesAndSizesAreKeptApart() {
        let digits = [digit("1", 100, 100), digit("2", 120, 160), digit("3", 140, 100, height: 200)]
        #expect(NumberReader.numbers(digits).sorted() == ["1", "2", "3"])
    }

    @Test func theClassifierHasTheLastWord() {
        #expect(NumberReader.numbers([digit("1", 0, 0, classes: ["7", "1"])]) == ["7"])
        #expect(NumberReader.numbers([]) == [])
    }

    /// The ground truth of the bundled pictures: what stands there is read, given perfect boxes.
    @Test func theBundledPicturesAreReadFromTheirTrueBoxes() throws {
        struct Truth: Decodable {
            struct Digit: Decodable {
                var label: String
                var box: [Float]
            }
            struct Picture: Decodable {
                var numbers: [String]
                var digits: [Digit]
            }
            var pictures: [String: Picture]
        }
        let file = URL(fileURLWithPath: try Resources.demo).appending(path: "truth.json")
        let truth = try JSONDecoder().decode(Truth.self, from: Data(contentsOf: file))
        let right = truth.pictures.values.filter { picture in
            let digits = picture.digits.map {
                Detection(
                    classID: 0, label: $0.label, confidence: 1,
                    box: Box(x: $0.box[0], y: $0.box[1], width: $0.box[2], height: $0.box[3]))
            }
            return NumberReader.numbers(digits).sorted() == picture.numbers.sorted()
        }
        // Two numbers of a picture may happen to stand close enough to be one.
        #expect(truth.pictures.count >= 8 && right.count >= truth.pictures.count - 2)
    }

    @Test func aTrackIsWhatItWasReadAsMostOften() {
        var tracks = TrackList()
        for sequence in 0..<UInt64(20) {
            var response = AnalyzeResponse()
            response.sequence = sequence
            var steady = digit(sequence % 5 == 0 ? "1" : "7", 0, 0)
            steady.trackID = 3
            var flicker = digit("9", 100, 0)
            flicker.trackID = sequence < 2 ? 4 : nil
            response.detections = [steady, flicker]
            tracks.add(response)
        }
        let lines = tracks.table.lines
        #expect(lines.count == 2)
        #expect(lines.last?.split(separator: " ") == ["3", "7", "20", "0", "19", "80%"])
    }

    @Test func stagesKeepTheirOrderAndTheTotalComesLast() {
        var times = TimingTable()
        for step in [UInt64(1000), 3000, 2000] {
            times.add([Timing("total", microseconds: step * 2), Timing("detect.infer", microseconds: step)])
        }
        let lines = times.table.lines
        #expect(lines.count == 3)
        #expect(lines[1].split(separator: " ") == ["detect.infer", "3", "2.00", "2.00", "3.00"])
        #expect(lines[2].hasPrefix("total"))
    }
}
