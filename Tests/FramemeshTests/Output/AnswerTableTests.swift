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
}
