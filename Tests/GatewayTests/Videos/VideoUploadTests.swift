import Foundation
import NIOCore
import RPC
import TestSupport
import Testing

@testable import Gateway

/// What an upload may be, and what is left of one that is refused.
@Suite struct VideoUploadTests {
    private static func files(_ gateway: TestGateway) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: gateway.data.appending(path: "videos").path)
    }

    @Test func whatIsNoVideoIsRefused() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let answer = try await gateway.post(
                "/v1/videos?pipeline=detect", Data("no video at all".utf8), type: "video/mp4")
            #expect(answer.status == 422)
            #expect(!answer.text.contains(gateway.data.path), "\(answer.text)")
            #expect(try await gateway.post("/v1/videos", Data(), type: "video/mp4").status == 400)
            #expect(try await gateway.post("/v1/videos", try TestVideo.digits, type: "text/plain").status == 415)
            #expect(try Self.files(gateway).isEmpty)
        }
    }

    @Test(arguments: [
        ("pipeline=nothing", "pipeline"), ("min_confidence=2", "min_confidence"), ("annotate=maybe", "annotate"),
        ("areas=%7B", "areas"), ("name=a%0Ab", "name"), ("nmae=x", "nmae"),
    ])
    func parametersAreChecked(_ query: String, _ field: String) async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let answer = try await gateway.post("/v1/videos?\(query)", try TestVideo.digits, type: "video/mp4")
            #expect(answer.status == 400)
            #expect(try answer.json()["field"] as? String == field)
            #expect(try Self.files(gateway).isEmpty)
        }
    }

    @Test(arguments: [
        "../../../etc/passwd", "a/b", "..", "\u{202e}gpj.mp4", "<script>alert(1)</script>", "x\u{0301}.mp4",
    ])
    func aNameIsNeverAPath(_ name: String) async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let escaped = try #require(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let job = try await gateway.uploadVideo(try TestVideo.digits, "name=\(escaped)")
            #expect(job["name"] as? String == name)
            #expect(try Self.files(gateway).allSatisfy { $0.hasPrefix(job.id) })
        }
    }

    @Test func aVideoThatSaysItIsTooLargeIsRefusedUnread() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxVideoBytes = 1000 }) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(
                "POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
                    + "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
            try await peer.until("max-video-bytes")
            #expect(peer.text.hasPrefix("HTTP/1.1 413"), "\(peer.text.prefix(100))")
            peer.close()
        }
    }

    @Test func aVideoThatGrowsTooLargeIsRefusedAndRemoved() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxVideoBytes = 1000 }) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            let chunk = String(repeating: "x", count: 600)
            await peer.send(
                "POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n258\r\n\(chunk)\r\n258\r\n\(chunk)\r\n")
            try await peer.until("max-video-bytes")
            #expect(peer.text.hasPrefix("HTTP/1.1 413"), "\(peer.text.prefix(100))")
            peer.close()
            #expect(try Self.files(gateway).isEmpty)
        }
    }

    @Test func anUploadThatBreaksOffLeavesNothing() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            let video = try TestVideo.digits
            await peer.send(
                "POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
                    + "Content-Length: \(video.count)\r\n\r\n")
            await peer.send(ByteBuffer(bytes: video.prefix(video.count / 2)))
            try await Self.wait { try Self.files(gateway).count == 1 }
            peer.close()
            try await Self.wait { try Self.files(gateway).isEmpty }
            #expect(try await gateway.get("/v1/videos").json()["videos"] as? [String] == [])
        }
    }

    @Test func allVideosTogetherStayWithinTheirQuota() async throws {
        let size = try TestVideo.digits.count
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.limits.videos.maxStoredBytes = size * 5 / 2
                $0.limits.videos.maxVideoBytes = size
            },
            { gateway in
                let ids = [
                    try await gateway.uploadVideo(try TestVideo.digits).id,
                    try await gateway.uploadVideo(try TestVideo.digits).id,
                ]
                let refused = try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4")
                #expect(refused.status == 507)
                #expect(try refused.json()["limit_name"] as? String == "max-stored-bytes")
                #expect(try await gateway.send("DELETE", "/v1/videos/\(ids[0])").status == 204)
                #expect(try await !gateway.uploadVideo(try TestVideo.digits).id.isEmpty)
            })
    }

    @Test func onlySoManyVideosAreKept() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxJobs = 1 }) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits).id
            let refused = try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4")
            #expect(refused.status == 507)
            #expect(try refused.json()["limit_name"] as? String == "max-video-jobs")
            #expect(try Self.files(gateway) == ["\(id).video"])
            #expect(try await gateway.send("DELETE", "/v1/videos/\(id)").status == 204)
            #expect(try await !gateway.uploadVideo(try TestVideo.digits).id.isEmpty)
        }
    }

    private static let tokens = """
        token sha256:54a976f1f7ea57f6add41516b340083a827ac641daefa7ce4e5f13cc1f9351d8 ada analyze
        token sha256:90623e5477a896ff088b7223109b65c9f6931b8889a22170c72f733462dd3bac eve analyze
        """

    private static func bearer(_ name: String) -> [String: String] { ["Authorization": "Bearer \(name)-token"] }

    /// Half of three videos, and half of two.
    @Test(arguments: [true, false]) func oneCallerLeavesRoomForOthers(_ isOfBytes: Bool) async throws {
        let size = try TestVideo.digits.count
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                if isOfBytes {
                    $0.limits.videos.maxStoredBytes = size * 3
                } else {
                    $0.limits.videos.maxJobs = 2
                }
                $0.limits.rate.share = 0.5
                $0.credentials = try Credentials(text: Self.tokens)
            },
            { gateway in
                let id = try await gateway.uploadVideo(try TestVideo.digits, headers: Self.bearer("ada")).id
                let refused = try await gateway.post(
                    "/v1/videos", try TestVideo.digits, type: "video/mp4", headers: Self.bearer("ada"))
                #expect(refused.status == 507)
                #expect(try refused.json()["limit_name"] as? String == "caller-share", "\(refused.text)")
                _ = try await gateway.uploadVideo(try TestVideo.digits, headers: Self.bearer("eve"))
                let removed = try await gateway.send("DELETE", "/v1/videos/\(id)", headers: Self.bearer("ada"))
                #expect(removed.status == 204)
                _ = try await gateway.uploadVideo(try TestVideo.digits, headers: Self.bearer("ada"))
            })
    }

    @Test func aPipelineWithoutNodesTakesNoVideos() async throws {
        try await TestGateway.with(
            mesh: .withoutClassifiers, configure: { $0.limits.connectPatience = .milliseconds(10) },
            { gateway in
                // It takes others as soon as the coordinator has found its detector.
                try await Self.wait {
                    let answer = try await gateway.post("/v1/videos", Data("no video".utf8), type: "video/mp4")
                    return answer.status == 422
                }
                let refused = try await gateway.post(
                    "/v1/videos?pipeline=classify", try TestVideo.digits, type: "video/mp4")
                #expect(refused.status == 503 && refused.headers["retry-after"] == "1", "\(refused.text)")
                #expect(try (refused.json()["detail"] as? String ?? "").contains("no nodes for the stage classify"))
                #expect(try Self.files(gateway).isEmpty)
            })
    }

    @Test func thereAreOnlySoManyUploadsAtOneTime() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxUploads = 1 }) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(
                "POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
                    + "Content-Length: 1000\r\n\r\nx")
            try await Self.wait { try Self.files(gateway).count == 1 }
            let refused = try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4")
            #expect(refused.status == 429 && refused.headers["retry-after"] == "1")
            #expect(try refused.json()["limit_name"] as? String == "max-uploads")
            peer.close()
            try await Self.wait {
                try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4").status == 201
            }
        }
    }

    /// Each look is a decoder, as large as its video makes it.
    @Test func theFirstFramesOfUploadsAreLookedAtInTurns() async throws {
        // It takes its time, tells whether it was not alone, and knows no video.
        let script = """
            #!/bin/sh
            mkdir "$0.busy" || touch "$0.two"
            sleep 0.3
            rmdir "$0.busy"
            exit 1

            """
        try await Self.withHelper(script) { gateway, helper in
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await gateway.post("/v1/videos?pipeline=detect", Data("x".utf8), type: "video/mp4").status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == [422, 422, 422, 422])
            #expect(!FileManager.default.fileExists(atPath: "\(helper).two"))
        }
    }

    /// Its turn is the only one.
    @Test func aDecoderThatHangsIsEndedAndGivesItsTurnBack() async throws {
        // It hangs the first time, and knows no video after that.
        let script = """
            #!/bin/sh
            mkdir "$0.hung" || exit 1
            echo $$ > "$0.pid"
            exec sleep 60

            """
        try await Self.withHelper(script, configure: { $0.lookTime = .seconds(10) }) { gateway, helper in
            let late = try await gateway.post("/v1/videos?pipeline=detect", Data("x".utf8), type: "video/mp4")
            #expect(late.status == 503 && late.headers["retry-after"] != nil, "\(late.text)")
            let problem = try late.json()
            #expect(problem["limit_name"] as? String == "video-look-time" && problem["limit"] as? Int == 10)
            let text = try String(contentsOfFile: "\(helper).pid", encoding: .utf8)
            let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)"))
            let next = try await gateway.post("/v1/videos?pipeline=detect", Data("x".utf8), type: "video/mp4")
            #expect(next.status == 422, "\(next.text)")
            #expect(try Self.files(gateway).isEmpty)
        }
    }

    /// A gateway that looks at one upload at a time, with a script in the decoder's place.
    private static func withHelper(
        _ script: String, configure: (inout VideoJobLimits) -> Void = { _ in },
        _ body: (_ gateway: TestGateway, _ helper: String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "helper-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let helper = folder.appending(path: "framemesh-video").path
        // Not written by this process, whose other children would have it open, too: then it is "busy".
        let made = try await ChildProcess(
            URL(fileURLWithPath: "/bin/sh"), ["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"", helper, script]
        ).finish(within: .seconds(60))
        try #require(made.code == 0, "\(made.errors)")
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.videoHelper = helper
                $0.limits.videos.maxRunning = 1
                configure(&$0.limits.videos)
            }
        ) { gateway in try await body(gateway, helper) }
    }

    @Test func whatIsOldGoes() async throws {
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.limits.videos.retention = .milliseconds(1)
                $0.limits.videos.sweepInterval = .milliseconds(50)
            },
            { gateway in
                let id = try await gateway.uploadVideo(try TestVideo.digits).id
                try await Self.wait { try await gateway.get("/v1/videos/\(id)").status == 404 }
                try await Self.wait { try Self.files(gateway).isEmpty }
            })
    }

    @Test func filesThatNobodyKnowsGoWhenTheyAreOld() async throws {
        try await TestGateway.with(
            mesh: .shared, configure: { $0.limits.videos.sweepInterval = .milliseconds(50) },
            { gateway in
                let kept = try await gateway.uploadVideo(try TestVideo.digits).id
                let folder = gateway.data.appending(path: "videos")
                let forgotten = String(repeating: "0", count: 32)
                let fresh = String(repeating: "1", count: 32)
                let others = ["notes.txt", "\(fresh).part", "\(forgotten).part.bak"]
                // What `framemesh-video` has left without O_TMPFILE.
                let written = "\(kept).mp4.0123456789abcdef.part"
                for name in ["\(forgotten).part", "\(forgotten).video", written] + others {
                    try Data("x".utf8).write(to: folder.appending(path: name))
                }
                let old = Date(timeIntervalSinceNow: -7200)
                for name in try Self.files(gateway) where !name.hasPrefix(fresh) {
                    try FileManager.default.setAttributes(
                        [.modificationDate: old], ofItemAtPath: folder.appending(path: name).path)
                }
                try await Self.wait { try !Self.files(gateway).contains { $0.hasPrefix("\(forgotten).video") } }
                try await Self.wait { try !Self.files(gateway).contains("\(forgotten).part") }
                try await Self.wait { try !Self.files(gateway).contains(written) }
                #expect(try Set(Self.files(gateway)).isSuperset(of: others + ["\(kept).video"]))
            })
    }

    private static func wait(
        within limit: Duration = .seconds(120), _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < end else { throw Failure("it is not so after \(limit)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
