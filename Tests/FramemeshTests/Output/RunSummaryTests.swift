import Messages
import Testing

@testable import framemesh

@Suite struct RunSummaryTests {
    private static func summary(_ answers: [(AnswerStatus, cause: String, attempts: Int)]) -> RunSummary {
        var summary = RunSummary()
        for answer in answers {
            var response = AnalyzeResponse()
            response.status = answer.0
            response.cause = answer.cause
            response.attempts = answer.attempts
            summary.count(response)
        }
        return summary
    }

    @Test func onlyOkAndDropsThatWereAskedForAreSuccess() {
        #expect(Self.summary([(.ok, "", 0)]).isSuccess(policy: .lossless))
        #expect(Self.summary([(.ok, "", 0), (.dropped, "late", 0)]).isSuccess(policy: .latest))
        #expect(!Self.summary([(.ok, "", 0), (.dropped, "late", 0)]).isSuccess(policy: .lossless))
        #expect(!Self.summary([(.ok, "", 0), (.partial, "classify is missing", 0)]).isSuccess(policy: .latest))
        #expect(!Self.summary([(.error, "bad", 0)]).isSuccess(policy: .latest))
    }

    @Test func framesThatAnotherNodeAnsweredAreTold() {
        let summary = Self.summary([(.ok, "", 1), (.ok, "", 0), (.ok, "", 2), (.error, "all failed", 3)])
        #expect(summary.retried == 2)
        #expect(summary.retryNotes == ["2 frames were answered by another node after one failed, refused or was slow"])
    }

    @Test func oneIsSingular() {
        let one = Self.summary([(.ok, "", 0)])
        #expect(one.text(elapsed: .seconds(2), unit: "picture") == "1 picture: 1 ok; 0 detections; 2 s, 0.5 pictures/s")
        let two = Self.summary([(.ok, "", 0), (.error, "bad", 0)])
        #expect(two.text(elapsed: .seconds(2)) == "2 frames: 1 ok, 1 failed; 0 detections; 2 s, 1 frames/s")
    }

    @Test func causesThatDifferInNumbersAreOne() {
        let summary = Self.summary(
            (0..<40).map { (AnswerStatus.dropped, cause: "replaced by the newer frame \($0)", attempts: 0) }
                + [(.error, "not a picture", 0)])
        #expect(
            summary.causeNotes == ["40 dropped, the first: replaced by the newer frame 0", "1 failed, not a picture"])
    }

    @Test func causesAreBounded() {
        let letters = (0..<100).map { String(repeating: "x", count: $0 + 1) }
        let summary = Self.summary(letters.map { (AnswerStatus.error, cause: $0, attempts: 0) })
        #expect(summary.causes.count == RunSummary.maxCauses + 1)
        #expect(summary.causes.values.reduce(0) { $0 + $1.count } == 100)
    }

    @Test func aTableAlignsAndCutsAndObeysNobody() {
        var table = Table("name", "count>")
        table.add("a", "7")
        table.add("long\u{1B}[31m", "12345")
        table.add(String(repeating: "y", count: 200), "1")
        #expect(table.lines[0].hasPrefix("name ") && table.lines[0].hasSuffix("  count"))
        #expect(table.lines[1].hasSuffix("      7"))
        #expect(!table.text.contains("\u{1B}"))
        #expect(table.lines.allSatisfy { $0.count <= Table.maxCellWidth + 2 + 5 })
    }
}
