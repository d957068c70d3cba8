import Foundation
import Messages
import NIOCore
import RPC
import Results
import TestSupport
import Testing

@testable import Gateway

/// Users read why something is missing, and not where nodes are.
@Suite struct PlainReasonsTests {
    private static let said = "no endpoint of static:///10.1.2.3:8601 is ready"

    private static func response(_ status: AnswerStatus, _ code: StatusCode) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.status = status
        response.code = code.rawValue
        response.cause = said
        if status == .partial { response.missing = ["classify"] }
        return response
    }

    @Test(arguments: (0...17).filter { $0 != StatusCode.invalidArgument.rawValue })
    func whateverTheCodeTheMeshsWordsAreForTheLogAlone(_ code: Int) {
        let log = LogRecorder()
        for status in [AnswerStatus.ok, .partial, .dropped, .error] {
            let plain = PlainReasons(log.logger).plain(Self.response(status, StatusCode(rawValue: code)))
            #expect(plain.cause.isEmpty == (status == .ok))
            #expect(!plain.frameLine.contains("10.1.2.3"), "\(plain.frameLine)")
        }
        let isTrouble = code != StatusCode.aborted.rawValue
        #expect(log.lines.count { $0.metadata["reason"] == Self.said } == (isTrouble ? 3 : 0))
    }

    @Test func whatIsWrongWithThePictureIsSaidAsTheMeshSaysIt() {
        var response = Self.response(.error, .invalidArgument)
        response.cause = "not a picture"
        #expect(PlainReasons(LogRecorder().logger).plain(response).cause == "not a picture")
        #expect(Problem(code: .invalidArgument, message: "not a picture").detail == "not a picture")
    }

    @Test func aPartialAnswerNamesWhatIsMissing() {
        let plain = PlainReasons(LogRecorder().logger).plain(Self.response(.partial, .unavailable))
        #expect(plain.cause == "without classify: no nodes for the stage classify")
    }

    @Test func manyFramesOfOneTroubleAreFewLines() {
        let log = LogRecorder()
        let reasons = PlainReasons(log.logger)
        // Three seconds of 34, 33 and 33 frames.
        let start = NIODeadline.uptimeNanoseconds(5_000_000_000)
        for frame in 0..<100 { reasons.note(.unavailable, Self.said, at: start + .milliseconds(Int64(frame * 30))) }
        reasons.note(.internal, Self.said, at: start)
        #expect(log.lines.count == 31, "ten of each second, and one of another code")
        #expect(log.lines.compactMap { $0.metadata["skipped"] } == ["24", "23"])
    }

    @Test func picturesVideosAndStreamsWithoutClassifiersNameNoNode() async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .withoutClassifiers) { gateway in
            func checkPartial(_ text: String) {
                #expect(text.contains("\"partial\""), "\(text.prefix(300))")
                let words = "without classify: no nodes for the stage classify"
                #expect(text.contains(words), "\(text.prefix(300))")
                #expect(!text.contains("127.0.0.1") && !text.contains("static:"), "\(text.prefix(300))")
            }
            let answer = try await gateway.post("/v1/images:analyze?pipeline=cascade", picture, type: "image/jpeg")
            checkPartial(answer.text)

            let stream = try await gateway.post(
                "/v1/streams",
                Data(#"{"source":{"push":true},"pipeline":"cascade","policy":"lossless"}"#.utf8),
                type: "application/json"
            ).json()
            let frame = try await gateway.post("/v1/streams/\(stream.id)/frames?wait=true", picture, type: "image/jpeg")
            checkPartial(frame.text)

            let job = try await gateway.uploadVideo(try await TestVideo.short(in: gateway.data), "pipeline=cascade").id
            #expect(try await gateway.finishedJob(job).state == "done")
            checkPartial(try await gateway.get("/v1/videos/\(job)/results?format=jsonl").text)
        }
    }
}
