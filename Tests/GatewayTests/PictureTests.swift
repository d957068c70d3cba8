import Foundation
import Messages
import NIOCore
import Testing
import Vision

@testable import Gateway

/// `POST /v1/images:analyze` with a real mesh behind it.
@Suite struct PictureTests {
    private static let boundary = "----boundary7"

    private static func form(_ files: [(name: String, data: Data)]) -> Data {
        var body = Data()
        for file in files {
            body += Data(
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file.name)\"\r\n".utf8)
            body += Data("Content-Type: image/jpeg\r\n\r\n".utf8) + file.data + Data("\r\n".utf8)
        }
        return body + Data("--\(boundary)--\r\n".utf8)
    }

    private static let formType = "multipart/form-data; boundary=\"\(boundary)\""

    private static func results(_ answer: TestGateway.Answer) throws -> [[String: Any]] {
        try #require(try answer.json()["results"] as? [[String: Any]], "\(answer.status) \(answer.text.prefix(300))")
    }

    @Test func aPictureIsAnsweredWithWhatIsOnItAndHowLongEachStepTook() async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post("/v1/images:analyze?pipeline=cascade", picture, type: "image/jpeg")
            #expect(answer.status == 200, "\(answer.text.prefix(300))")
            let result = try #require(try Self.results(answer).first)
            #expect(result["status"] as? String == "ok" && result["name"] == nil)
            let detections = try #require(result["detections"] as? [[String: Any]])
            #expect(!detections.isEmpty)
            let box = try #require(detections[0]["box"] as? [String: Double])
            #expect(Set(box.keys) == ["x", "y", "width", "height"])
            let timing = try #require(result["timing_ms"] as? [String: Double])
            #expect(timing["total"] ?? 0 > 0 && timing["gateway.total"] ?? 0 >= timing["total"] ?? 1)
        }
    }

    @Test(arguments: ["numbers-01.jpg", "numbers-09.png", "numbers-10.webp"])
    func everyKindOfPictureIsTakenByItsFirstBytes(_ name: String) async throws {
        let picture = try Place.demo(name)
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            // The last is what curl says of itself.
            for type in ["application/octet-stream", nil, "application/x-www-form-urlencoded"] {
                let answer = try await gateway.post("/v1/images:analyze?pipeline=detect", picture, type: type)
                #expect(answer.status == 200, "\(answer.text.prefix(300))")
            }
        }
    }

    @Test func severalPicturesAreAnsweredInTheirOrderAndABadOneHasItsOwnError() async throws {
        let pictures = [
            ("a.jpg", try Place.demo("numbers-01.jpg")), ("../../bad.jpg", Data("no picture".utf8)),
            ("empty.jpg", Data()), ("d.jpg", try Place.demo("numbers-02.jpg")),
        ]
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post(
                "/v1/images:analyze?pipeline=detect&max_detections=1", Self.form(pictures), type: Self.formType)
            let results = try Self.results(answer)
            #expect(results.map { $0["name"] as? String } == ["a.jpg", "../../bad.jpg", "empty.jpg", "d.jpg"])
            #expect(results.map { $0["status"] as? String } == ["ok", "error", "error", "ok"])
            #expect((results[0]["detections"] as? [Any])?.count == 1)
            #expect((results[1]["error"] as? [String: Any])?["status"] as? Int == 422)
            #expect((results[2]["error"] as? [String: Any])?["status"] as? Int == 400)
        }
    }

    @Test func aPictureThatCannotBeDecodedIsTheSendersFault() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post("/v1/images:analyze", Data("no picture".utf8), type: "image/png")
            #expect(answer.status == 422)
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
    }

    @Test(arguments: [
        ("image/jpeg", "", "image/jpeg", [0xFF, 0xD8]), ("image/png, image/jpeg;q=0.5", "", "image/png", [0x89, 0x50]),
        ("application/json", "&format=png", "image/png", [0x89, 0x50]),
        ("text/html, */*;q=0.1", "&format=jpeg", "image/jpeg", [0xFF, 0xD8]),
    ])
    func anAnnotatedPictureComesBackByAcceptOrByFormat(
        _ accept: String, _ query: String, _ type: String, _ start: [UInt8]
    ) async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post(
                "/v1/images:analyze?pipeline=detect\(query)", picture, type: "image/jpeg", headers: ["Accept": accept])
            #expect(answer.status == 200 && answer.headers["content-type"] == type)
            #expect(answer.body.starts(with: start))
            #expect(answer.headers["vary"] == "Accept")
        }
    }

    @Test func theAnnotatedPictureComesBesideTheJSONWhereItIsAskedFor() async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post(
                "/v1/images:analyze?pipeline=detect&annotate=true", picture, type: "image/jpeg")
            let text = try #require(try Self.results(answer).first?["annotated"] as? String)
            #expect(Data(base64Encoded: text)?.starts(with: [0xFF, 0xD8]) == true)
        }
    }

    /// Each names the field that is wrong; none of them needs the picture.
    @Test(arguments: [
        ("pipeline=nonsense", 400, "pipeline"), ("pipeline=track", 400, "pipeline"),
        ("min_confidence=2", 400, "min_confidence"), ("min_confidence=nan", 400, "min_confidence"),
        ("min_confidence=-0.1", 400, "min_confidence"), ("max_detections=0", 400, "max_detections"),
        ("max_detections=99999999999999999999", 400, "max_detections"), ("annotate=yes", 400, "annotate"),
        ("format=gif", 400, "format"), ("deadline_ms=0", 400, "deadline_ms"), ("confidence=1", 400, "confidence"),
        ("pipeline=detect&pipeline=cascade", 400, "pipeline"),
    ])
    func aWrongParameterIsNamed(_ query: String, _ status: Int, _ field: String) async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post("/v1/images:analyze?\(query)", Data("x".utf8), type: "image/jpeg")
            #expect(answer.status == status, "\(answer.text)")
            #expect(try answer.json()["field"] as? String == field)
        }
    }

    @Test(arguments: [
        ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("multipart/mixed; boundary=a", 415),
        ("multipart/form-data", 400), ("multipart/form-data; boundary=", 400),
    ])
    func anotherKindOfBodyIsRefused(_ type: String, _ status: Int) async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post("/v1/images:analyze", Data("x".utf8), type: type)
            #expect(answer.status == status, "\(answer.text)")
        }
    }

    /// `curl --data-binary @notes.txt` says nothing of a type: it is the body that is wrong.
    @Test func aBodyThatIsNoPictureIsToBlameAndNotItsType() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let type = "application/x-www-form-urlencoded"
            let answer = try await gateway.post("/v1/images:analyze", Data("notes".utf8), type: type)
            #expect(answer.status == 415)
            #expect(try answer.json()["detail"] as? String == "the body is no picture: no JPEG, PNG or WebP")
            #expect(try answer.json()["field"] == nil)
            // Without a single byte it is no other kind of body, however it came.
            for empty in [type, "image/jpeg"] {
                let answer = try await gateway.post("/v1/images:analyze", Data(), type: empty)
                #expect(answer.status == 400, "\(empty): \(answer.text)")
            }
        }
    }

    /// What the vision core says, in whose words a node refuses.
    @Test(arguments: [("max-pixels", 100, 5000), ("max-side", 5000, 9)])
    func theLimitOfANodeIsKnownByItsWords(_ name: String, _ pixels: Int, _ side: Int) throws {
        var limits = ImageLimits()
        (limits.maxPixels, limits.maxSide) = (pixels, side)
        let picture = Frame(
            encoding: .gray8, width: 20, height: 20, payload: .inline(ByteBuffer(repeating: 1, count: 400)))
        let error = #expect(throws: VisionError.self) { try Image(decoding: picture, limits: limits) }
        let limit = try #require(PictureSizeLimit(in: error?.message ?? ""))
        #expect(
            limit
                == PictureSizeLimit(
                    in: "1 x 1 pixels exceed the limit of \(name == "max-side" ? "9 a side" : "100 pixels")"))
        #expect(limit.name == name)
        #expect(PictureSizeLimit(in: "9 regions exceed the limit of 8") == nil)
    }

    @Test func withoutACoordinatorTheAnswerIsThatItMayComeLater() async throws {
        try await TestGateway.with { gateway in
            let answer = try await gateway.post("/v1/images:analyze", Data("x".utf8), type: "image/jpeg")
            #expect(answer.status == 503 && answer.headers["retry-after"] == "1")
            #expect(!answer.text.contains("127.0.0.1"), "no address of ours")
        }
    }

    @Test func aDeadlineThatPassesIsSaidSo() async throws {
        let picture = try Place.demo("numbers-04.jpg")
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            // A gateway that has found no coordinator yet says that instead.
            _ = try await gateway.post("/v1/images:analyze?pipeline=cascade", picture, type: "image/jpeg")
            let answers = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<24 {
                    tasks.addTask {
                        try await gateway.post(
                            "/v1/images:analyze?pipeline=cascade&deadline_ms=1", picture, type: "image/jpeg"
                        ).status
                    }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.contains(504) && Set(answers).isSubset(of: [200, 504, 429]), "\(answers)")
        }
    }
}
