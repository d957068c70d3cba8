import Messages
import Results
import Testing

@Suite struct ResultRowsTests {
    private static func response(
        _ sequence: UInt64, _ detections: [Detection], epoch: UInt32 = 0, status: AnswerStatus = .ok
    ) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.sequence = sequence
        response.captureTime = 40_000 * Int64(sequence)
        response.epoch = epoch
        response.status = status
        response.detections = detections
        return response
    }

    private static func detection(_ label: String, track: UInt64? = nil, classes: [Classification] = []) -> Detection {
        Detection(
            classID: 3, label: label, confidence: 0.87654, box: Box(x: 1.5, y: -2.25, width: 30, height: 40.125),
            trackID: track, classes: classes)
    }

    @Test func csvHasARowForEachDetection() {
        let sure = Classification(classID: 7, label: "seven", confidence: 0.99)
        let response = Self.response(2, [Self.detection("digit", track: 5, classes: [sure]), Self.detection("dog")])
        #expect(
            CSVRows.rows(of: response)
                == "2,80,0,ok,digit,3,0.8765,1.5,-2.25,30,40.13,5,seven,0.99,\r\n"
                + "2,80,0,ok,dog,3,0.8765,1.5,-2.25,30,40.13,,,,\r\n")
    }

    @Test func csvSaysWhichFramesHaveNoResult() {
        #expect(CSVRows.rows(of: Self.response(1, [], status: .dropped)) == "1,40,0,dropped,,,,,,,,,,,\r\n")
        #expect(CSVRows.rows(of: Self.response(1, [])).isEmpty)
    }

    @Test func csvTellsWhyAFrameHasNoResultOrAPartialOne() {
        var failed = Self.response(1, [], status: .error)
        failed.cause = "=no node, or no coordinator"
        #expect(CSVRows.rows(of: failed) == "1,40,0,error,,,,,,,,,,,\"'=no node, or no coordinator\"\r\n")
        var partial = Self.response(2, [Self.detection("dog")], status: .partial)
        partial.cause = "without classify"
        #expect(CSVRows.rows(of: partial).hasSuffix(",,,,without classify\r\n"))
    }

    @Test func csvTellsTheClassOfAWholeFrame() {
        var response = Self.response(0, [])
        response.classes = [Classification(classID: 1, label: "cat", confidence: 0.5)]
        #expect(CSVRows.rows(of: response) == "0,0,0,ok,,,,,,,,,cat,0.5,\r\n")
    }

    @Test(arguments: [
        ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""), ("two\r\nlines", "\"two\r\nlines\""),
        ("plain", "plain"), ("=1+2", "'=1+2"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\ta", "'\ta"),
        ("\r=1", "\"'\r=1\""), ("=\u{301}1", "'=\u{301}1"), ("=\"a\",b", "\"'=\"\"a\"\",b\""), ("a=1", "a=1"),
        ("a\"\u{301}b", "\"a\"\"\u{301}b\""),
    ])
    func csvQuotesWhatWouldBreakARow(_ label: String, _ quoted: String) {
        #expect(CSVRows.rows(of: Self.response(0, [Self.detection(label)])).hasPrefix("0,0,0,ok,\(quoted),3,"))
    }

    @Test func everyRowHasTheColumnsOfTheHeader() {
        let columns = CSVRows.header.split(separator: ",").count
        for status in [AnswerStatus.ok, .error] {
            let row = CSVRows.rows(of: Self.response(0, [Self.detection("x")], status: status))
            #expect(row.split(separator: ",", omittingEmptySubsequences: false).count == columns)
        }
    }

    @Test func motCountsFramesAndPixelsFromOne() {
        var rows = MOTRows()
        #expect(
            rows.rows(of: Self.response(0, [Self.detection("a", track: 4), Self.detection("b")]))
                == "1,4,2.5,-1.25,30,40.13,0.8765,-1,-1,-1\n1,-1,2.5,-1.25,30,40.13,0.8765,-1,-1,-1\n")
    }

    @Test func motNeverUsesAnIDTwice() {
        var rows = MOTRows()
        var ids: [Substring] = []
        for (epoch, tracks) in [(0, [1, 3]), (0, [3]), (1, [1, 2]), (4, [1]), (4, [2])] as [(UInt32, [UInt64])] {
            let text = rows.rows(of: Self.response(0, tracks.map { Self.detection("a", track: $0) }, epoch: epoch))
            ids += text.split(separator: "\n").map { $0.split(separator: ",")[1] }
        }
        #expect(ids == ["1", "3", "3", "4", "5", "6", "7"])
    }
}
