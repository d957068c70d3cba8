import Foundation
import Outbound
import Testing

@testable import Gateway

/// What people read who did something wrong, and what they may write in more than one way.
@Suite struct PlainWordsTests {
    private static func detail(_ answer: TestGateway.Answer) throws -> String {
        try answer.json()["detail"] as? String ?? ""
    }

    @Test func anotherMethodIsToldWhichThereAre() async throws {
        try await TestGateway.with { gateway in
            let answer = try await gateway.send("DELETE", "/v1/images:analyze")
            #expect(answer.status == 405)
            #expect(try Self.detail(answer) == "this takes POST, not DELETE")
        }
    }

    @Test func whatIsTooLargeIsComparedWithTheLimitWhichIsANumber() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxPictureBytes = 10
        } _: { gateway in
            let path = "/v1/images:analyze?pipeline=detect"
            let declared = try await gateway.post(path, Data(count: 20), type: "image/jpeg")
            #expect(declared.status == 413)
            #expect(
                try Self.detail(declared) == "the body has 20 bytes, which is more than the limit of 10 bytes")
            #expect(try declared.json()["limit"] as? Int == 10 && declared.text.contains(#""limit":10,"#))

            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(
                "POST \(path) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n"
                    + String(repeating: "x", count: 20) + "\r\n0\r\n\r\n")
            try await peer.until("the body is larger than the limit of 10 bytes")
            peer.close()

            let form =
                "--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n" + String(repeating: "x", count: 20)
                + "\r\n--b--\r\n"
            let part = try await gateway.post(path, Data(form.utf8), type: "multipart/form-data; boundary=b")
            #expect(try Self.detail(part) == "a picture of the form is larger than the limit of 10 bytes")
        }
    }

    /// As many clients write it.
    @Test(arguments: ["images%3Aanalyze", "images%3aanalyze", "%69mages:analyze"])
    func aPathThatIsEscapedMoreThanNeededIsTheSame(_ path: String) async throws {
        try await TestGateway.with { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send("POST /v1/\(path)?nonsense=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            try await peer.until("there is no parameter 'nonsense'")
            peer.close()
        }
    }

    @Test(
        arguments: [
            ("/a", nil), ("/a?b=%41", nil), ("/%41%7e", "/A~"), ("/a%2Fb%3A", "/a%2Fb:"),
            ("/%25%3F%23%20", "/%25%3F%23%20"),
            ("/%", "/%"), ("/%4", "/%4"), ("/%4g", "/%4g"), ("/%41?c=%41%3A", "/A?c=%41%3A"), ("/%C3%A9", "/%C3%A9"),
            ("/%2541", "/%2541"),
        ] as [(String, String?)])
    func whatNeedsNoEscapeHasNone(_ target: String, _ plain: String?) {
        #expect(PlainTarget.plain(target) == plain)
    }

    @Test func aVideoMayComeAsCurlSendsItAndAFormIsToldHow() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let video = try await TestVideo.short(in: gateway.data)
            let plain = try await gateway.post("/v1/videos", video, type: "application/x-www-form-urlencoded")
            #expect(plain.status == 201, "\(plain.text)")
            let noVideo = try await gateway.post(
                "/v1/videos", Data("x=1".utf8), type: "application/x-www-form-urlencoded")
            #expect(noVideo.status == 422)
            #expect(
                try Self.detail(noVideo)
                    == "the body is not a video that is known here (mp4, mov, matroska, webm, avi, mpegts, mpeg, flv, ogg, mjpeg)"
            )
            let form = try await gateway.post("/v1/videos", video, type: "multipart/form-data; boundary=b")
            #expect(form.status == 415)
            #expect(try Self.detail(form).contains("curl --data-binary"))
            let id = try plain.json().id
            #expect(try await gateway.send("POST", "/v1/videos/\(id)/cancel").status == 200)
        }
    }

    @Test func aFrameMayComeAsCurlSendsIt() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed) + "/frames"
            let picture = try Place.demo("numbers-01.jpg")
            let curl = "application/x-www-form-urlencoded"
            #expect(try await gateway.post(path + "?wait=true", picture, type: curl).status == 200)
            #expect(try await gateway.post(path, Data("x=1".utf8), type: curl).status == 415)
            let form = try await gateway.post(path, picture, type: "multipart/form-data; boundary=b")
            #expect(form.status == 415)
            #expect(try Self.detail(form).contains("curl --data-binary"))
        }
    }

    @Test func aStreamWithoutAPipelineHasThatOfPictures() async throws {
        try await TestStream.with { gateway in
            let answer = try await TestStream.create(gateway, ["source": ["push": true]])
            #expect(try answer.json()["pipeline"] as? String == AnalyzeOptions.defaultPipeline, "\(answer.text)")
        }
    }

    @Test func whatIsWrongWithAParameterIsNamed() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let after = try await gateway.get("/v1/videos?after=xyz")
            #expect(try Self.detail(after) == "'xyz' is not the id of a video")
            let hooks = try await gateway.post("/v1/videos?webhooks=5", Data("x".utf8), type: "video/mp4")
            #expect(try Self.detail(hooks) == "'webhooks' is not a list", "\(hooks.text)")
        }
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://cam.example/", "rtsp://", "/dev/video0", "rtsp://a b/"])
    func whatIsNoURLOfASourceIsNoQuestionOfPermission(_ url: String) async throws {
        try await TestStream.with { gateway in
            let answer = try await TestStream.create(gateway, ["source": ["url": url]])
            #expect(answer.status == 400, "\(answer.text)")
            #expect(try answer.json()["field"] as? String == "source.url")
            if url.hasPrefix("file:") { #expect(answer.text.contains("http, https, rtsp or rtsps")) }
        }
    }

    @Test func whoeverMayNotBeCalledIsToldHowToAllowIt() {
        let refused = Problem(outbound: OutboundError("no"), field: "source.url", allowedBy: "--stream-allow")
        #expect(refused.detail == "'source.url': no (--stream-allow)")
    }

    @Test func aCancelledJobSaysWhyItHasNoAnnotatedVideo() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.long(in: gateway.data), "annotate=true").id
            #expect(try await gateway.send("POST", "/v1/videos/\(id)/cancel").status == 200)
            let answer = try await gateway.get("/v1/videos/\(id)/annotated")
            #expect(answer.status == 404)
            #expect(try Self.detail(answer) == "there is no annotated video, as the job was cancelled")
        }
    }
}
