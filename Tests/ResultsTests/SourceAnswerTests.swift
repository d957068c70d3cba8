import Messages
import Testing

@testable import Results

@Suite struct SourceAnswerTests {
    private static func answer(_ change: (inout AnalyzeResponse) -> Void) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.sequence = 7
        response.width = 640
        response.height = 480
        change(&response)
        return response
    }

    @Test func aWholeAnswerHasAllFieldsInTheirOrder() {
        let response = Self.answer {
            $0.detections = [
                Detection(
                    classID: 3, label: "car", confidence: 0.75, box: Box(x: 1.5, y: 2, width: 30.25, height: 40),
                    trackID: 12, classes: [Classification(classID: 5, label: "taxi", confidence: 0.5)])
            ]
            $0.classes = [Classification(classID: 1, label: "street", confidence: 0.25)]
            $0.timing = [Timing("detect.infer", microseconds: 9100), Timing("total", microseconds: 12_345)]
        }
        let line = SourceAnswer(source: "a.mp4", stream: "s", response: response).line(stages: ["detect", "classify"])
        #expect(
            line
                == #"{"source":"a.mp4","stream":"s","sequence":7,"status":"ok","width":640,"height":480,"#
                + #""detections":[{"label":"car","class_id":3,"confidence":0.75,"#
                + #""box":{"x":1.5,"y":2,"width":30.25,"height":40},"track_id":12,"#
                + #""classes":[{"label":"taxi","class_id":5,"confidence":0.5}]}],"#
                + #""classes":[{"label":"street","class_id":1,"confidence":0.25}],"#
                + #""timing_ms":{"detect.infer":9.1,"total":12.345}}"#)
    }

    @Test func fieldsThatDontApplyAreLeftOut() {
        let refused = SourceAnswer(source: "b.jpg", sequence: 2, refused: "the file is empty\n(0 bytes)")
        #expect(
            refused.line(stages: ["detect"])
                == #"{"source":"b.jpg","sequence":2,"status":"error","cause":"the file is empty; (0 bytes)"}"#)
    }

    @Test func aDetectorThatFoundNothingSaysSo() {
        let nothing = SourceAnswer(source: "c", response: Self.answer { _ in })
        #expect(nothing.line(stages: ["detect", "track"]).contains(#""detections":[]"#))
        #expect(!nothing.line(stages: ["detect", "classify"]).contains(#""classes""#))
        #expect(!nothing.line(stages: ["classify"]).contains(#""detections""#))
        #expect(nothing.line(stages: ["classify"]).contains(#""classes":[]"#))
    }

    @Test func aMissingStageHasNoField() {
        let partial = SourceAnswer(
            source: "d",
            response: Self.answer {
                $0.status = .partial
                $0.missing = ["detect"]
                $0.cause = "detect is missing: no node"
                $0.classes = [Classification(classID: 1, label: "x", confidence: 1)]
            })
        let line = partial.line(stages: ["detect", "classify"])
        #expect(
            line.contains(#""status":"partial""#) && !line.contains(#""detections""#) && line.contains(#""classes""#))
    }

    @Test func aDroppedFrameHasItsCauseAndNoLists() {
        let dropped = SourceAnswer(
            source: "e",
            response: Self.answer {
                $0.status = .dropped
                $0.width = 0
                $0.cause = "replaced by the newer frame 9"
            })
        #expect(
            dropped.line(stages: ["detect"])
                == #"{"source":"e","sequence":7,"status":"dropped","cause":"replaced by the newer frame 9"}"#)
    }

    /// Also a time whose milliseconds a Double has one too few of.
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_700_000_000_009, "2023-11-14T22:13:20.009Z"),
            (1_753_963_199_999, "2025-07-31T11:59:59.999Z"), (-5, "1970-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func aFrameOfALiveSourceHasTheTimeAtWhichItWasTaken(_ milliseconds: Int64, _ text: String) {
        let answer = SourceAnswer(source: "f", response: Self.answer { _ in }, capturedAt: milliseconds)
        #expect(
            answer.line(stages: ["classify"]).hasPrefix(
                #"{"source":"f","sequence":7,"captured_at":"\#(text)","status":"ok","#))
    }
}
