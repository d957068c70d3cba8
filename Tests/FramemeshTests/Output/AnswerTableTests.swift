import Messages
import Results
import Testing

@testable import framemesh

@Suite struct AnswerTableTests {
    @Test(arguments: [nil as UInt64?, 12])
    func aTableHasTracksOnlyWhereThereAreSome(_ track: UInt64?) {
        var response = AnalyzeResponse()
        response.width = 640
        response.height = 480
        response.detections = [
            Detection(
                classID: 3, label: "car", confidence: 0.75, box: Box(x: 1, y: 2, width: 30, height: 40),
                trackID: track)
        ]
        let lines = AnswerPrinter.table(SourceAnswer(source: "a.jpg", response: response)).split(separator: "\n")
        #expect(lines.dropFirst().first?.contains("track") == (track != nil))
        #expect(!lines.joined().contains("classes"))
    }

    @Test(
        arguments: [
            (1, 1, "1 of 1 frame was answered"), (1, 9, "1 of 9 frames was answered"),
            (2, 9, "2 of 9 frames were answered"), (0, 1, "0 of 1 frame was answered"),
            (1, nil, "1 frame was answered"), (0, nil, "0 frames were answered"),
            // A container may say less than it has.
            (8, 1, "8 frames were answered"),
        ] as [(UInt64, UInt64?, String)])
    func howFarARunCameIsSaidInNumbers(_ count: UInt64, _ total: UInt64?, _ words: String) {
        #expect(AnswerPrinter.cutShort(count, of: total, "frame") == words)
    }
}
